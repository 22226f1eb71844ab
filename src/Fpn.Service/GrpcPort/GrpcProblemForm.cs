using System.Globalization;
using Fpn.Service.Problems;
using Microsoft.Net.Http.Headers;

namespace Fpn.Service.GrpcPort;

/// <summary>Writes problems that are met before a gRPC method runs: an answer of headers alone.</summary>
internal sealed class GrpcProblemForm : IProblemForm
{
    /// <summary>The content type of every gRPC answer.</summary>
    public const string ContentType = "application/grpc";

    /// <summary>The one instance, a feature of the requests that speak gRPC.</summary>
    public static GrpcProblemForm Instance { get; } = new();

    /// <inheritdoc/>
    public bool Covers(HttpContext context) => true;

    /// <inheritdoc/>
    public Task WriteAsync(Problem problem, HttpContext context)
    {
        // The status of HTTP says only that gRPC has an answer.
        var response = context.Response;
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = ContentType;
        response.Headers.GrpcStatus = ((int)GrpcStatuses.StatusFor(problem)).ToString(CultureInfo.InvariantCulture);
        response.Headers.GrpcMessage = GrpcStatuses.Encode(GrpcStatuses.MessageFor(problem, context));
        response.Headers.Remove(HeaderNames.WWWAuthenticate);
        foreach (var (name, value) in GrpcStatuses.TrailersFor(problem))
        {
            response.Headers[name] = value;
        }

        return Task.CompletedTask;
    }
}
