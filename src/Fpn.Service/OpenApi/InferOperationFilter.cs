using System.Text.Json.Nodes;
using Fpn.Service.Engine;
using Fpn.Service.OpenInference;
using Fpn.Service.Wire;
using Microsoft.OpenApi;
using Microsoft.OpenApi.Reader;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Fpn.Service.OpenApi;

/// <summary>
/// Describes body, headers and answer of the protocol's inference, which the endpoint reads and writes itself.
/// </summary>
internal sealed class InferOperationFilter(LimitsOptions limits) : IOperationFilter
{
    private const string Json = "application/json";
    private const string Binary = "application/octet-stream";

    /// <inheritdoc/>
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        if (!OpenInferenceRegistration.InferOperations.Contains(operation.OperationId))
        {
            return;
        }

        operation.RequestBody = new OpenApiRequestBody
        {
            Required = true,
            Description = $"JSON; or JSON and binary data after it, where `{ApiHeaders.JsonLength}` says; "
                + "or one encoded image and nothing "
                + $"else, with that header 0. At most {limits.MaxBatchImages} images and {limits.MaxBatchBytes} bytes.",
            Content = new Dictionary<string, IOpenApiMediaType>
            {
                [Json] = new OpenApiMediaType
                {
                    Schema = Refer(context, "InferRequest", "requestSchema"),
                    Example = Example("requestExample"),
                },
                [Binary] = new OpenApiMediaType { Schema = Bytes() },
            },
        };
        (operation.Parameters ??= []).Add(new OpenApiParameter
        {
            Name = ApiHeaders.JsonLength,
            In = ParameterLocation.Header,
            Description = "Bytes of the body that are JSON; 0 when the body is one encoded image. Absent: all of them.",
            Schema = new OpenApiSchema { Type = JsonSchemaType.Integer, Minimum = "0" },
            Example = JsonValue.Create(0),
        });
        operation.Responses ??= [];
        operation.Responses["200"] = new OpenApiResponse
        {
            Description = "The detections, or the proposals.",
            Headers = new Dictionary<string, IOpenApiHeader>
            {
                [ApiHeaders.JsonLength] = new OpenApiHeader
                {
                    Description = "Bytes of the JSON, when outputs follow it as binary.",
                    Schema = new OpenApiSchema { Type = JsonSchemaType.Integer },
                },
            },
            Content = new Dictionary<string, IOpenApiMediaType>
            {
                [Json] = new OpenApiMediaType
                {
                    Schema = Refer(context, "InferAnswer", "answerSchema"),
                    Example = Example("answerExample"),
                },
                [Binary] = new OpenApiMediaType
                {
                    Schema = Bytes(),
                    Example = JsonValue.Create("the JSON, then the binary outputs in its order, little-endian"),
                },
            },
        };
    }

    private static OpenApiSchema Bytes() => new() { Type = JsonSchemaType.String, Format = "binary" };

    private static OpenApiSchemaReference Refer(OperationFilterContext context, string name, string part)
    {
        if (!context.SchemaRepository.Schemas.ContainsKey(name))
        {
            var schema = OpenApiModelFactory.Parse<OpenApiSchema>(
                Text(part), OpenApiSpecVersion.OpenApi3_1, context.Document, out var diagnostic, OpenApiConstants.Json);
            context.SchemaRepository.AddDefinition(
                name,
                schema ?? throw new InvalidOperationException(
                    string.Join(' ', diagnostic.Errors.Select(error => error.Message))));
        }

        return new OpenApiSchemaReference(name, context.Document);
    }

    private static JsonNode? Example(string part) => JsonNode.Parse(Text(part));

    private static string Text(string part)
    {
        using var stream = typeof(InferOperationFilter).Assembly.GetManifestResourceStream(
            "Fpn.Service.OpenApi.infer.json")
            ?? throw new InvalidOperationException("The schemas of inference are missing from the assembly.");
        return JsonNode.Parse(stream)![part]!.ToJsonString();
    }
}
