using System.Diagnostics;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.Features;

namespace Fpn.Service.Observability;

/// <summary>Completes the span that ASP.NET Core makes for a request, by OpenTelemetry's conventions.</summary>
internal static class RequestSpan
{
    /// <summary>ASP.NET Core's source.</summary>
    public const string SourceName = "Microsoft.AspNetCore";

    /// <summary>Names the span after method and route, and adds the status; nothing when nobody listens.</summary>
    public static void Complete(HttpContext context)
    {
        if (context.Features.Get<IHttpActivityFeature>()?.Activity is not { IsAllDataRequested: true } activity)
        {
            return;
        }

        // The method may be anything that a client sends; a span's name must be one of few.
        var method = HttpMethods.GetCanonicalizedValue(context.Request.Method);
        var known = method is "GET" or "HEAD" or "POST" or "PUT" or "DELETE" or "OPTIONS" or "PATCH" or "TRACE"
            or "CONNECT";

        // Whoever handles an exception takes the endpoint away, and keeps it here.
        var endpoint = context.GetEndpoint() ?? context.Features.Get<IExceptionHandlerFeature>()?.Endpoint;
        var route = (endpoint as RouteEndpoint)?.RoutePattern.RawText;
        activity.DisplayName = (known ? method : "HTTP") + (route is null ? string.Empty : " " + route);
        activity.SetTag("http.request.method", known ? method : "_OTHER")
            .SetTag("url.scheme", context.Request.Scheme)
            .SetTag("url.path", context.Request.Path.Value)
            .SetTag("http.route", route)
            .SetTag("http.response.status_code", context.Response.StatusCode);
        if (context.Response.StatusCode >= StatusCodes.Status500InternalServerError)
        {
            activity.SetStatus(ActivityStatusCode.Error);
        }
    }
}
