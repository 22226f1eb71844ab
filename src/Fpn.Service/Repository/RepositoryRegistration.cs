using Fpn.Service.Annotations;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Settings;

namespace Fpn.Service.Repository;

/// <summary>Which models are served, and loading and unloading them.</summary>
internal static class RepositoryRegistration
{
    private const string Tag = "Repository";

    private const string IndexExample = """
        [
          { "name": "cats", "version": "1", "state": "UNAVAILABLE", "reason": "unloaded" },
          { "name": "cats", "version": "2", "state": "READY", "reason": "" },
          { "name": "everyday", "version": "1", "state": "READY", "reason": "" },
          { "name": "pets", "state": "UNAVAILABLE", "reason": "unloaded" }
        ]
        """;

    /// <summary>Registers the endpoints.</summary>
    public static WebApplicationBuilder AddRepository(this WebApplicationBuilder builder, SettingsCatalogue settings)
    {
        settings.Add<ControlOptions>("Control");
        builder.Services.AddSingleton<RepositoryControl>().AddSingleton<RepositoryEndpoints>();
        return builder;
    }

    /// <summary>Maps <c>/models</c> and <c>/v2/repository</c>.</summary>
    /// <exception cref="SettingsException">Loading is switched on, but no key may load.</exception>
    public static WebApplication MapRepository(this WebApplication app)
    {
        if (app.Services.GetRequiredService<ControlOptions>().Enabled
            && !app.Services.GetRequiredService<KeyCheck>().HasScope(KeyScope.Admin))
        {
            throw new SettingsException(
                "Setting 'Fpn:Control:Enabled' needs an API key of scope admin ('Fpn:Keys'); there is none.");
        }

        app.MapModels();
        app.MapPost(
                "/v2/repository/index",
                (HttpContext context, RepositoryEndpoints repository) => repository.IndexAsync(context))
            .WithName("repositoryIndex")
            .WithTags(Tag)
            .WithSummary("Lists the model packages and whether they are served")
            .WithDescription(
                "The body may be empty, or `{\"ready\": true}` to leave out what is not served. "
                + "A version folder has an entry of its own. A package that was never loaded has no state.")
            .Produces<IReadOnlyList<RepositoryModelResponse>>()
            .WithMetadata(
                new BodyExample("May be empty.", """{ "ready": true }"""),
                new AnswerExample("application/json", IndexExample),
                Problems(Problem.BadRequest("the body is not the JSON that is expected here: wrong at '$.ready'")))
            .RequireScope(KeyScope.Admin);
        app.MapPost(
                "/v2/repository/models/{name}/load",
                (HttpContext context, string name, RepositoryEndpoints repository) =>
                    repository.LoadAsync(context, name))
            .WithName("repositoryModelLoad")
            .WithTags(Tag)
            .WithSummary("Loads a model package, or loads it again after it changed")
            .WithDescription(
                "Answers when the package is warm and serves; "
                + "until then, and if it fails, the one that was loaded before serves. "
                + "Of a model in version folders, those are loaded that are new or changed.")
            .Produces(StatusCodes.Status200OK)
            .WithMetadata(
                new PathParameterNote("name", "Name of the model's folder."),
                new BodyExample(
                    "May be empty. Parameters that bring files or configuration are refused.",
                    """{ "parameters": {} }"""),
                Problems(Problem.ModelNotLoaded("failed to load 'pets': there is no package 'pets'")))
            .RequireScope(KeyScope.Admin);
        app.MapPost(
                "/v2/repository/models/{name}/unload",
                (HttpContext context, string name, RepositoryEndpoints repository) =>
                    repository.UnloadAsync(context, name))
            .WithName("repositoryModelUnload")
            .WithTags(Tag)
            .WithSummary("Takes a model out of service")
            .WithDescription("With all its versions. Requests that were accepted before are answered.")
            .Produces(StatusCodes.Status200OK)
            .WithMetadata(
                new PathParameterNote("name", "Name of the model."),
                new BodyExample("May be empty.", """{ "parameters": { "unload_dependents": false } }"""),
                Problems(Problem.ModelNotLoaded("failed to unload 'pets': there is no package 'pets'")))
            .RequireScope(KeyScope.Admin);
        return app;
    }

    private static ProblemsMetadata Problems(Problem problem) => new(
        problem,
        Problem.ControlOff(),
        Problem.BadRequest("Request body too large.") with { Status = StatusCodes.Status413PayloadTooLarge });
}
