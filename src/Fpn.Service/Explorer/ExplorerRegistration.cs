using Fpn.Imaging.Decoding;
using Fpn.Service.Engine;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Fpn.Service.Explorer;

/// <summary>The page at <c>/</c>, served from the assembly: nothing of it lies in the file system, nothing comes from elsewhere.</summary>
internal static class ExplorerRegistration
{
    /// <summary>Only what this service serves is loaded, run and asked; pictures may be the user's own, which are blobs.</summary>
    public const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>For files whose name changes with their content.</summary>
    private const string Forever = "public, max-age=31536000, immutable";

    /// <summary>For files that keep their name: the browser asks whether its copy is still right.</summary>
    private const string Ask = "no-cache";

    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>Registers the page's files.</summary>
    public static WebApplicationBuilder AddExplorer(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(_ => ExplorerAssets.Load());
        return builder;
    }

    /// <summary>Maps the page, its files, the sample images and what the page has to know.</summary>
    public static WebApplication MapExplorer(this WebApplication app)
    {
        app.MapMethods("/", Methods, (HttpContext context, ExplorerAssets assets) => Page(context, assets.Page))
            .ExcludeFromDescription()
            .AllowWithoutKey();
        app.MapMethods(
                "/explorer/{file}",
                Methods,
                (HttpContext context, string file, ExplorerAssets assets) => File(context, file, assets.Files, Forever))
            .ExcludeFromDescription()
            .AllowWithoutKey();
        app.MapMethods(
                "/explorer/samples/{model}/{file}",
                Methods,
                (HttpContext context, string model, string file, ExplorerAssets assets) =>
                    File(context, $"{model}/{file}", assets.Samples, Ask))
            .ExcludeFromDescription()
            .AllowWithoutKey();
        app.MapMethods("/explorer/settings.json", Methods, Settings).ExcludeFromDescription().AllowWithoutKey();
        return app;
    }

    private static FileContentHttpResult Page(HttpContext context, ExplorerAsset page)
    {
        context.Response.Headers.ContentSecurityPolicy = ContentSecurityPolicy;
        context.Response.Headers["Permissions-Policy"] = "camera=(self)";
        return Send(context, page, Ask);
    }

    private static IResult File(HttpContext context, string file, IReadOnlyDictionary<string, ExplorerAsset> files, string caching) =>
        files.TryGetValue(file, out var asset) ? Send(context, asset, caching) : new ProblemResult(Problem.NotFound(context.Request));

    private static FileContentHttpResult Send(HttpContext context, ExplorerAsset asset, string caching)
    {
        context.Response.Headers.CacheControl = caching;
        return TypedResults.Bytes(asset.Bytes, asset.ContentType, entityTag: asset.Tag);
    }

    private static IResult Settings(
        HttpContext context, LimitsOptions limits, ImageDecoder decoder, ExplorerAssets assets)
    {
        context.Response.Headers.CacheControl = Ask;
        var samples = assets.Samples.Keys.OrderBy(path => Path.ChangeExtension(path, null), StringComparer.Ordinal).Select(Sample);
        return Results.Json(
            new ExplorerSettings(limits.MaxImageBytes, limits.MaxImagePixels, decoder.Formats, [.. samples]),
            ExplorerJsonContext.Readable.ExplorerSettings);
    }

    private static ExplorerSample Sample(string path) => path.Split('/') is [var model, var name]
        ? new ExplorerSample(model, name)
        : throw new InvalidOperationException($"The sample image '{path}' lies under no model.");
}
