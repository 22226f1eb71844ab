using System.Text.Json.Nodes;
using Fpn.Service.Annotations;
using Fpn.Service.Compatibility.Door;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Fpn.Service.OpenApi;

/// <summary>
/// Describes operations of contracts whose path and method are the service's own: the document has room for one
/// operation, so that the contract's body and answer stand beside the service's.
/// </summary>
internal sealed class SharedPathFilter : IDocumentFilter
{
    private const string Json = "application/json";

    /// <summary>Chooses the operation that is described first: the service's own.</summary>
    /// <param name="same">Operations with the same path and method.</param>
    public static ApiDescription Choose(IEnumerable<ApiDescription> same) =>
        same.OrderBy(description => ContractFor(description) is not null).First();

    /// <inheritdoc/>
    public void Apply(OpenApiDocument swaggerDoc, DocumentFilterContext context)
    {
        var shared = context.ApiDescriptions
            .GroupBy(description => (description.RelativePath, description.HttpMethod))
            .Where(same => same.Count() > 1)
            .SelectMany(same => same.Except([Choose(same)]));
        foreach (var description in shared)
        {
            var operations = swaggerDoc.Paths[$"/{description.RelativePath}"].Operations!;
            var operation = operations[HttpMethod.Parse(description.HttpMethod)];
            Add(operation, description);
        }
    }

    private static IContract? ContractFor(ApiDescription description) =>
        description.ActionDescriptor.EndpointMetadata.OfType<ContractEndpoint>().LastOrDefault()?.Contract;

    private static void Add(OpenApiOperation operation, ApiDescription description)
    {
        var metadata = description.ActionDescriptor.EndpointMetadata;
        if (metadata.OfType<BodyExample>().SingleOrDefault() is not { } body
            || metadata.OfType<AnswerExample>().SingleOrDefault() is not { } example
            || operation.RequestBody?.Content?.TryAdd(Json, ExampleFilter.Describe(body).Content![Json]) != true
            || operation.Responses?["200"].Content is not { } answers)
        {
            return;
        }

        operation.RequestBody.Description += $" {body.Description}";
        var answer = JsonNode.Parse(example.Text);
        var own = (OpenApiMediaType)answers[Json];
        answers[Json] = new OpenApiMediaType
        {
            Schema = new OpenApiSchema { AnyOf = [own.Schema!, ExampleSchema.FromExample(answer)] },
            Examples = new Dictionary<string, IOpenApiExample>
            {
                ["own"] = new OpenApiExample { Value = own.Example },
                [ContractFor(description)!.Name] = new OpenApiExample { Value = answer },
            },
        };
    }
}
