using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace Fpn.Service.OpenApi;

/// <summary>The OpenAPI document and Swagger UI.</summary>
internal static class OpenApiRegistration
{
    /// <summary>The end of the names of types that are answers; schemas leave it out.</summary>
    private const string Suffix = "Response";

    /// <summary>Registers the generator.</summary>
    public static WebApplicationBuilder AddOpenApiDocument(this WebApplicationBuilder builder)
    {
        builder.Services.AddEndpointsApiExplorer().AddSwaggerGen(Configure);
        return builder;
    }

    /// <summary>Serves the document at <c>/swagger/v1/swagger.json</c> and the UI at <c>/swagger</c>.</summary>
    public static WebApplication UseOpenApiDocument(this WebApplication app)
    {
        app.UseSwagger(options => options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1);
        app.UseSwaggerUI(options =>
        {
            options.SwaggerEndpoint("v1/swagger.json", "Fpn.Service v1");
            options.DocumentTitle = "Fpn.Service";
            options.DisplayRequestDuration();
            options.EnableTryItOutByDefault();
        });
        return app;
    }

    private static void Configure(SwaggerGenOptions options)
    {
        options.SwaggerDoc("v1", new OpenApiInfo
        {
            Title = "Fpn.Service",
            Version = "v1",
            Description =
                "Finds objects in images with a Faster R-CNN on a feature pyramid. Send an image to `/detect`.",
            License = new OpenApiLicense { Name = "MIT", Url = new Uri("https://spdx.org/licenses/MIT.html") },
            Contact = new OpenApiContact { Name = "Whoever runs this service" },
        });

        // From the document's own address: a proxy may serve all of this below a prefix.
        options.AddServer(new OpenApiServer { Url = "../..", Description = "The service that serves this document" });
        options.IncludeXmlComments(Path.Combine(AppContext.BaseDirectory, "Fpn.Service.xml"));
        options.SupportNonNullableReferenceTypes();
        options.NonNullableReferenceTypesAsRequired();
        options.CustomSchemaIds(type =>
            type.Name.EndsWith(Suffix, StringComparison.Ordinal) ? type.Name[..^Suffix.Length] : type.Name);
        options.OperationFilter<DetectionOperationFilter>();
        options.OperationFilter<StageOperationFilter>();
        options.OperationFilter<InferOperationFilter>();
        options.OperationFilter<ProblemResponseFilter>();
        options.OperationFilter<ExampleFilter>();
        options.ResolveConflictingActions(SharedPathFilter.Choose);
        options.DocumentFilter<SharedPathFilter>();
        options.DocumentFilter<HealthPathFilter>();
        options.DocumentFilter<TagDescriptionFilter>();
        options.OperationFilter<KeySecurityFilter>();
        options.DocumentFilter<KeySecurityFilter>();
    }
}
