using Fpn.Service.Security;
using Fpn.Service.Wire;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Fpn.Service.OpenApi;

/// <summary>
/// Marks the operations that need a key, once keys are configured: Swagger UI then offers to enter one.
/// </summary>
internal sealed class KeySecurityFilter(KeyCheck keys) : IDocumentFilter, IOperationFilter
{
    private const string HeaderScheme = "ApiKey";
    private const string BearerScheme = "Bearer";

    /// <inheritdoc/>
    public void Apply(OpenApiDocument swaggerDoc, DocumentFilterContext context)
    {
        if (!keys.IsOn)
        {
            return;
        }

        swaggerDoc.AddComponent<IOpenApiSecurityScheme>(HeaderScheme, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey,
            In = ParameterLocation.Header,
            Name = ApiHeaders.Key,
            Description = "An API key of this service.",
        });
        swaggerDoc.AddComponent<IOpenApiSecurityScheme>(BearerScheme, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = "The same key as a bearer token, or a token of the issuer that is trusted here.",
        });
    }

    /// <inheritdoc/>
    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        var metadata = context.ApiDescription.ActionDescriptor.EndpointMetadata;
        if (keys.IsOn && metadata.OfType<KeyRequirement>().LastOrDefault() is not { Scope: KeyScope.None })
        {
            operation.Security = [Either(HeaderScheme), Either(BearerScheme)];
        }

        OpenApiSecurityRequirement Either(string scheme) =>
            new() { [new OpenApiSecuritySchemeReference(scheme, context.Document)] = [] };
    }
}
