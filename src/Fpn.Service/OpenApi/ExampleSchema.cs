using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace Fpn.Service.OpenApi;

/// <summary>The schema of JSON that no type describes, taken from an example of it.</summary>
internal static class ExampleSchema
{
    /// <summary>The schema: kinds of values and names of members; lists are described by their first element.</summary>
    public static OpenApiSchema FromExample(JsonNode? example) => example?.GetValueKind() switch
    {
        JsonValueKind.Object => new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Properties = example.AsObject().ToDictionary(
                member => member.Key, IOpenApiSchema (member) => FromExample(member.Value)),
        },
        JsonValueKind.Array => new OpenApiSchema
        {
            Type = JsonSchemaType.Array,
            Items = example.AsArray() is [{ } first, ..] ? FromExample(first) : new OpenApiSchema(),
        },
        JsonValueKind.String => new OpenApiSchema { Type = JsonSchemaType.String },
        JsonValueKind.Number => new OpenApiSchema { Type = JsonSchemaType.Number },
        JsonValueKind.True or JsonValueKind.False => new OpenApiSchema { Type = JsonSchemaType.Boolean },
        _ => new OpenApiSchema(),
    };
}
