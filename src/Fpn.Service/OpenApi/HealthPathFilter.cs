using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Fpn.Service.OpenApi;

/// <summary>Describes <c>/health</c>, whose endpoints the framework maps without a description.</summary>
internal sealed class HealthPathFilter : IDocumentFilter
{
    private const string Tag = "Observability";

    /// <inheritdoc/>
    public void Apply(OpenApiDocument swaggerDoc, DocumentFilterContext context)
    {
        Add("live", "healthLive", "Says whether the process answers", "For liveness probes: 200 as long as it answers at all.", canFail: false);
        Add(
            "ready",
            "healthReady",
            "Says whether requests can be answered",
            "For readiness probes and load balancers: 503 while a device is lost, and from the moment the service is told to end.",
            canFail: true);

        void Add(string name, string operation, string summary, string description, bool canFail)
        {
            var responses = new OpenApiResponses { ["200"] = Answer("Yes.", "Healthy") };
            if (canFail)
            {
                responses["503"] = Answer("Not now.", "Unhealthy");
            }

            swaggerDoc.Paths[$"/health/{name}"] = new OpenApiPathItem
            {
                Operations = new Dictionary<HttpMethod, OpenApiOperation>
                {
                    [HttpMethod.Get] = new()
                    {
                        OperationId = operation,
                        Summary = summary,
                        Description = description,
                        Tags = new HashSet<OpenApiTagReference> { new(Tag, swaggerDoc) },
                        Responses = responses,
                    },
                },
            };
        }
    }

    private static OpenApiResponse Answer(string description, string text) => new()
    {
        Description = description,
        Content = new Dictionary<string, OpenApiMediaType>
        {
            ["text/plain"] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.String }, Example = JsonValue.Create(text) },
        },
    };
}
