using System.Buffers;
using Fpn.Service.Engine;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Fpn.Service.Bodies;

/// <summary>
/// Reads the rest of a body that was answered before its end, so that clients that send everything before they listen
/// receive the answer, most often a refusal: if the connection closed while they send, it would be lost.
/// </summary>
/// <remarks>
/// The answer is sent first, and the bytes read are dropped; beyond the limits the server closes the connection. HTTP/2
/// refuses the rest of a body by itself.
/// </remarks>
internal sealed class UnreadBodies(
    RequestDelegate next, LimitsOptions limits, TimeProvider clock, IHostApplicationLifetime lifetime)
{
    private const int Piece = 64 << 10;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Serves the request, and reads the rest of its body.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        // A client that asks before it sends the body (Expect) does not send it after a refusal.
        var asksFirst = !StringValues.IsNullOrEmpty(context.Request.Headers[HeaderNames.Expect]);
        await next(context);
        if (!asksFirst
            && !context.RequestAborted.IsCancellationRequested
            && HttpProtocol.IsHttp11(context.Request.Protocol)
            && context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true })
        {
            await context.Response.CompleteAsync();
            await DropAsync(context);
        }
    }

    private async Task DropAsync(HttpContext context)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(
            patience.Token, context.RequestAborted, lifetime.ApplicationStopping);
        var buffer = ArrayPool<byte>.Shared.Rent(Piece);
        try
        {
            int read;
            for (var left = limits.MaxBatchBytes; left > 0; left -= read)
            {
                read = await context.Request.Body.ReadAsync(buffer, end.Token);
                if (read == 0)
                {
                    return;
                }
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            // Broken, too slow, too long, or gone: the answer is sent, and the server closes the connection.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
