using System.Text.Json.Nodes;
using Fpn.Service.Observability;
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
        Add(
            "live",
            "healthLive",
            "Says whether the process answers",
            "For liveness probes: 200 as long as it answers at all.",
            canFail: false);
        Add(
            "ready",
            "healthReady",
            "Says whether requests can be answered",
            "For readiness probes and load balancers: 503 while a device is lost, and from the moment the service is "
                + "told to end. With Accept: application/json it also says what the models run on and why.",
            canFail: true);

        void Add(string name, string operation, string summary, string description, bool canFail)
        {
            var responses = new OpenApiResponses { ["200"] = Answer("Yes.", "Healthy") };
            if (canFail)
            {
                responses["503"] = Answer("Not now.", "Unhealthy");
                AddDetails(responses["200"], "Healthy", "Every model is loaded and warm.", context);
                AddDetails(responses["503"], "Unhealthy", ReadinessCheck.ShuttingDown, context);
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

    private static void AddDetails(
        IOpenApiResponse answer, string status, string description, DocumentFilterContext context) =>
        answer.Content!["application/json"] = new OpenApiMediaType
        {
            Schema = context.SchemaGenerator.GenerateSchema(typeof(HealthResponse), context.SchemaRepository),
            Example = new JsonObject
            {
                ["status"] = status,
                ["checks"] = new JsonObject
                {
                    ["models"] = new JsonObject
                    {
                        ["status"] = status,
                        ["description"] = description,
                        ["data"] = new JsonObject
                        {
                            ["provider"] = "cpu",
                            ["device"] = "CPU, 8 threads",
                            ["reason"] = "setting 'Fpn:Execution:Provider' is 'cpu'",
                        },
                    },
                },
            },
        };

    private static OpenApiResponse Answer(string description, string text) => new()
    {
        Description = description,
        Content = new Dictionary<string, IOpenApiMediaType>
        {
            ["text/plain"] = new OpenApiMediaType
            {
                Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                Example = JsonValue.Create(text),
            },
        },
    };
}
