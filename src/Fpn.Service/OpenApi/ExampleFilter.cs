using System.Text.Json.Nodes;
using Fpn.Service.Annotations;
using Fpn.Service.Bodies;
using Fpn.Serving.Lanes;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Fpn.Service.OpenApi;

/// <summary>Puts the examples that endpoints declare, such as <see cref="AnswerExample"/>, into the document.</summary>
/// <remarks>Examples name the default model.</remarks>
internal sealed class ExampleFilter(LaneRegistry lanes) : IOperationFilter
{
    /// <inheritdoc/>
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        var metadata = context.ApiDescription.ActionDescriptor.EndpointMetadata;
        foreach (var example in metadata.OfType<AnswerExample>())
        {
            var isJson = example.ContentType.EndsWith("json", StringComparison.Ordinal);
            var value = isJson ? JsonNode.Parse(example.Text) : JsonValue.Create(example.Text);
            var response = (OpenApiResponse)operation.Responses!["200"];
            response.Content ??= new Dictionary<string, IOpenApiMediaType>();
            if (!response.Content.TryGetValue(example.ContentType, out var content))
            {
                content = new OpenApiMediaType { Schema = ExampleSchema.FromExample(value) };
                response.Content.Add(example.ContentType, content);
            }

            ((OpenApiMediaType)content).Example = value;
        }

        foreach (var body in metadata.OfType<BodyExample>())
        {
            operation.RequestBody = Describe(body);
        }

        foreach (var form in metadata.OfType<FormExample>())
        {
            operation.RequestBody = Describe(form);
        }

        foreach (var note in metadata.OfType<PathParameterNote>())
        {
            var parameter = (OpenApiParameter)operation.Parameters!.Single(
                candidate => candidate.In == ParameterLocation.Path && candidate.Name == note.Name);
            parameter.Description = note.Description;
            parameter.Example = note.IsVersion
                ? lanes.Lanes.Select(lane => lane.Model.Contract.Version).FirstOrDefault()
                : lanes.DefaultModel;
        }
    }

    /// <summary>Describes a JSON body.</summary>
    public static OpenApiRequestBody Describe(BodyExample body)
    {
        var content = new Dictionary<string, IOpenApiMediaType>
        {
            ["application/json"] = new OpenApiMediaType
            {
                Schema = new OpenApiSchema { Type = JsonSchemaType.Object },
                Example = JsonNode.Parse(body.Json),
            },
        };
        if (body.AlsoImage)
        {
            content.Add("application/octet-stream", new OpenApiMediaType { Schema = Binary() });
        }

        return new OpenApiRequestBody { Description = body.Description, Content = content };
    }

    private static OpenApiRequestBody Describe(FormExample form) => new()
    {
        Required = true,
        Description = form.Description,
        Content = new Dictionary<string, IOpenApiMediaType>
        {
            ["multipart/form-data"] = new OpenApiMediaType
            {
                Schema = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    Required = new HashSet<string> { ImageBodyReader.PartName },
                    Properties = form.Fields.Select(name => (Name: name, Schema: Text()))
                        .Prepend((Name: ImageBodyReader.PartName, Schema: Binary()))
                        .ToDictionary(field => field.Name, IOpenApiSchema (field) => field.Schema),
                },
            },
        },
    };

    private static OpenApiSchema Text() => new() { Type = JsonSchemaType.String };

    private static OpenApiSchema Binary() => new() { Type = JsonSchemaType.String, Format = "binary" };
}
