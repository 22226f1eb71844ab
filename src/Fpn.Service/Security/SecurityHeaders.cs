using Microsoft.Extensions.Primitives;

namespace Fpn.Service.Security;

/// <summary>Adds headers to every answer that restrict what browsers may do with it.</summary>
internal sealed class SecurityHeaders(RequestDelegate next)
{
    /// <summary>For answers that are data: browsers must neither load nor run anything in them.</summary>
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

    /// <summary>Adds the headers when the answer starts.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        // As late as possible: the answer to a failure starts without headers.
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

        // Pages set their own policy.
        if (headers.ContentSecurityPolicy.Count == 0)
        {
            headers.ContentSecurityPolicy = context.Request.Path.StartsWithSegments("/swagger") ? ForSwagger : ForData;
        }

        // Detections and problems are for the caller alone.
        if (headers.CacheControl.Count == 0)
        {
            headers.CacheControl = NoStore;
        }
    }
}
