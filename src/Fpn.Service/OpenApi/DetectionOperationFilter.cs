using System.Text.Json.Nodes;
using Fpn.Service.Api;
using Fpn.Service.Batching;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Fpn.Service.OpenApi;

/// <summary>Describes the body, the query and the answer of <c>POST /detect</c>, which the endpoint reads itself.</summary>
/// <param name="lanes">The models that are served: their names and labels are what the parameters offer.</param>
/// <param name="limits">The largest image.</param>
internal sealed class DetectionOperationFilter(LaneRegistry lanes, LimitsOptions limits) : IOperationFilter
{
    private static readonly string[] RawTypes =
        ["image/jpeg", "image/png", "image/webp", "image/gif", "image/tiff", "image/avif", "application/octet-stream"];

    /// <inheritdoc/>
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        if (operation.OperationId != ApiRegistration.DetectOperation)
        {
            return;
        }

        operation.RequestBody = Body();
        operation.Parameters = [.. Parameters()];
        if (operation.Responses?["200"].Content is { } content)
        {
            content["application/json"].Example = JsonNode.Parse(ReadExample());
            ((OpenApiResponse)operation.Responses["200"]).Headers = new Dictionary<string, IOpenApiHeader>
            {
                ["Server-Timing"] = new OpenApiHeader { Description = "The timings once more, for browsers.", Schema = Text() },
            };
        }
    }

    private static OpenApiSchema Text() => new() { Type = JsonSchemaType.String };

    private static string ReadExample()
    {
        using var stream = typeof(DetectionOperationFilter).Assembly.GetManifestResourceStream("Fpn.Service.OpenApi.detect-example.json")
            ?? throw new InvalidOperationException("The example of /detect is missing from the assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private OpenApiRequestBody Body()
    {
        var content = new Dictionary<string, OpenApiMediaType>
        {
            ["multipart/form-data"] = new()
            {
                Schema = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Required = new HashSet<string> { ImageBodyReader.PartName },
                    Properties = new Dictionary<string, IOpenApiSchema>
                    {
                        [ImageBodyReader.PartName] = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary", Description = "The image." },
                    },
                },
            },
        };
        foreach (var type in RawTypes)
        {
            content[type] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String, Format = "binary" } };
        }

        return new OpenApiRequestBody
        {
            Required = true,
            Description = $"The image itself, or a form with exactly one part `{ImageBodyReader.PartName}`. JPEG, PNG, WebP, GIF (first frame), TIFF or AVIF, "
                + $"told from its bytes; at most {limits.MaxImageBytes} bytes and {limits.MaxImagePixels} pixels.",
            Content = content,
        };
    }

    private IEnumerable<OpenApiParameter> Parameters()
    {
        var models = lanes.Lanes.Select(lane => lane.Model.Contract).ToList();
        var known = models.Select(model => $"`{model.Name}` knows {string.Join(", ", model.Labels.Take(20))}");
        yield return Query(
            "model",
            "The model that answers; `/models` lists them.",
            new OpenApiSchema
            {
                Type = JsonSchemaType.String,
                Default = lanes.DefaultModel,
                Enum = [.. models.Select(model => JsonValue.Create(model.Name))],
            });
        yield return Query(
            "scoreThreshold",
            "Keeps scores of at least this. Below the model's own threshold it has no effect.",
            new OpenApiSchema { Type = JsonSchemaType.Number, Minimum = "0", Maximum = "1" });
        yield return Query(
            "maxDetections",
            "The most detections to return. The model's own limit (`maxDetections` in `/models`) stays.",
            new OpenApiSchema { Type = JsonSchemaType.Integer, Minimum = "1" });
        yield return Query(
            "labels",
            $"Comma-separated names to keep, applied last; {string.Join("; ", known)}.",
            Text());
        yield return Query("format", "How to answer.", new OpenApiSchema { Type = JsonSchemaType.String, Default = "json", Enum = [JsonValue.Create("json")] });
        yield return Header(
            DetectHeaders.PriorityName,
            "Who goes first when requests wait. Low ones are delayed, never starved.",
            new OpenApiSchema { Type = JsonSchemaType.String, Default = "normal", Enum = ["high", "normal", "low"] });
        yield return Header(
            DetectHeaders.TimeoutName,
            "Milliseconds that the answer is worth waiting for; shortens the service's own deadline. 504 afterwards.",
            new OpenApiSchema { Type = JsonSchemaType.Integer, Minimum = "1" });
    }

    private static OpenApiParameter Header(string name, string description, OpenApiSchema schema) =>
        new() { Name = name, In = ParameterLocation.Header, Description = description, Schema = schema };

    private static OpenApiParameter Query(string name, string description, OpenApiSchema schema) =>
        new() { Name = name, In = ParameterLocation.Query, Description = description, Schema = schema };
}
