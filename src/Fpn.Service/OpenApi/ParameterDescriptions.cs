using System.Text.Json.Nodes;
using Fpn.Service.Wire;
using Fpn.Serving.Lanes;
using Microsoft.OpenApi;

namespace Fpn.Service.OpenApi;

/// <summary>Describes the parameters that several operations share.</summary>
internal static class ParameterDescriptions
{
    /// <summary>The model that answers.</summary>
    public static OpenApiParameter Model(LaneRegistry lanes)
    {
        var models = lanes.Lanes.Select(lane => lane.Model.Contract.Name).ToList();
        return Query(
            "model",
            "The model that answers; `/models` lists them.",
            models.FirstOrDefault() ?? lanes.DefaultModel,
            new OpenApiSchema
            {
                Type = JsonSchemaType.String,
                Default = lanes.DefaultModel,
                Enum = [.. models.Select(model => JsonValue.Create(model))],
            });
    }

    /// <summary>The number that names the image.</summary>
    /// <param name="note">What uses it.</param>
    public static OpenApiParameter ImageId(string note) => Query(
        "imageId",
        note,
        7,
        new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int64", Default = 0, Minimum = "0" });

    /// <summary>The headers that say how urgent a request is.</summary>
    public static IEnumerable<OpenApiParameter> Urgency()
    {
        yield return Header(
            ApiHeaders.Priority,
            "Who goes first when requests wait. Low ones are delayed, never starved.",
            "normal",
            new OpenApiSchema { Type = JsonSchemaType.String, Default = "normal", Enum = ["high", "normal", "low"] });
        yield return Header(
            ApiHeaders.Timeout,
            "Milliseconds that the answer is worth waiting for; shortens the service's own deadline. 504 afterwards.",
            30000,
            new OpenApiSchema { Type = JsonSchemaType.Integer, Minimum = "1" });
    }

    /// <summary>A parameter of the query.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="description">Its meaning.</param>
    /// <param name="example">A value that does no harm: Swagger UI sends all examples.</param>
    /// <param name="schema">Its type and range.</param>
    public static OpenApiParameter Query(string name, string description, JsonNode example, OpenApiSchema schema) =>
        Parameter(ParameterLocation.Query, name, description, example, schema);

    private static OpenApiParameter Header(string name, string description, JsonNode example, OpenApiSchema schema) =>
        Parameter(ParameterLocation.Header, name, description, example, schema);

    private static OpenApiParameter Parameter(
        ParameterLocation location, string name, string description, JsonNode example, OpenApiSchema schema) => new()
        {
            Name = name,
            In = location,
            Description = description,
            Example = example,
            Schema = schema,
        };
}
