using Fpn.Service.Compatibility.Door;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Fpn.Service.OpenApi;

/// <summary>Describes each group of operations.</summary>
internal sealed class TagDescriptionFilter(IEnumerable<IContract> contracts) : IDocumentFilter
{
    private static readonly Dictionary<string, string> Descriptions = new()
    {
        ["Detection"] = "Images in, objects out.",
        ["Models"] = "What is served.",
        ["Open Inference Protocol"] = "The same models for clients of KServe and Triton.",
        ["Repository"] = "Loading and unloading models; off unless it is switched on.",
        ["Observability"] = "What the service does and how it feels.",
    };

    /// <inheritdoc/>
    public void Apply(OpenApiDocument swaggerDoc, DocumentFilterContext context)
    {
        var used = swaggerDoc.Paths.Values
            .SelectMany(path => path.Operations ?? [])
            .SelectMany(operation => operation.Value.Tags ?? new HashSet<OpenApiTagReference>())
            .Select(tag => tag.Reference.Id!)
            .Distinct()
            .Order(StringComparer.OrdinalIgnoreCase);
        swaggerDoc.Tags = used
            .Select(name => new OpenApiTag { Name = name, Description = Describe(name) })
            .ToHashSet();
    }

    private string Describe(string name) =>
        contracts.FirstOrDefault(contract => contract.Title == name)?.Description ?? Descriptions[name];
}
