using Microsoft.Extensions.Primitives;

namespace Fpn.Service.Security;

/// <summary>Tells browsers on every answer how little may be done with it.</summary>
/// <param name="next">The rest of the pipeline.</param>
internal sealed class SecurityHeaders(RequestDelegate next)
{
    /// <summary>For answers that are data: nothing in them is to be loaded or run, whatever they look like.</summary>
    public const string DataPolicy = "default-src 'none'; frame-ancestors 'none'";

    /// <summary>
    /// For Swagger UI: its own files only, the styles that its scripts write into the page, and pictures that are
    /// written into addresses (<c>data:</c> its own, <c>blob:</c> those of answers). Scripts come from its files alone.
    /// </summary>
    public const string SwaggerPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly StringValues NoSniff = "nosniff";
    private static readonly StringValues NoReferrer = "no-referrer";
    private static readonly StringValues Deny = "DENY";
    private static readonly StringValues SameOrigin = "same-origin";
    private static readonly StringValues NoStore = "no-store";
    private static readonly StringValues ForData = DataPolicy;
    private static readonly StringValues ForSwagger = SwaggerPolicy;

    /// <summary>Adds the headers when the answer begins.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        // As late as can be: the answer to a failure begins with no headers.
        context.Response.OnStarting(
            static state =>
            {
                Add((HttpContext)state);
                return Task.CompletedTask;
            },
            context);
        return next(context);
    }

    private static void Add(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = NoSniff;
        headers["Referrer-Policy"] = NoReferrer;
        headers.XFrameOptions = Deny;
        headers["Cross-Origin-Resource-Policy"] = SameOrigin;

        // A page says itself what it needs.
        if (headers.ContentSecurityPolicy.Count == 0)
        {
            headers.ContentSecurityPolicy = context.Request.Path.StartsWithSegments("/swagger") ? ForSwagger : ForData;
        }

        // What was found in a picture, and what went wrong, is for the one who asked.
        if (headers.CacheControl.Count == 0)
        {
            headers.CacheControl = NoStore;
        }
    }
}
