using System.Buffers;
using System.Security.Cryptography;
using Fpn.Service.Wire;

namespace Fpn.Service.Security;

/// <summary>Gives each request an id: the one it brings, if that is harmless in logs, or a new one.</summary>
/// <param name="next">The rest of the pipeline.</param>
internal sealed class RequestIds(RequestDelegate next)
{
    private const int LongestId = 128;

    private static readonly SearchValues<char> Characters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    /// <summary>Names the request and goes on.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        var ids = context.Request.Headers[ApiHeaders.RequestId];
        context.TraceIdentifier = ids.Count == 1 && ids[0] is { } id && IsHarmless(id)
            ? id
            : RandomNumberGenerator.GetHexString(32, lowercase: true);

        // As late as can be: the answer to a failure begins with no headers.
        context.Response.OnStarting(
            static state =>
            {
                var http = (HttpContext)state;
                http.Response.Headers[ApiHeaders.RequestId] = http.TraceIdentifier;
                return Task.CompletedTask;
            },
            context);
        return next(context);
    }

    private static bool IsHarmless(string id) =>
        id.Length is > 0 and <= LongestId && !id.AsSpan().ContainsAnyExcept(Characters);
}
