using System.Globalization;
using System.Text;
using Fpn.Service.OpenInference;
using Fpn.Service.Problems;
using Fpn.Serving.Requests;
using Grpc.Core;

namespace Fpn.Service.GrpcPort;

/// <summary>Problems as gRPC: status, message and trailers.</summary>
internal static class GrpcStatuses
{
    /// <summary>Trailer: the problem's type, stable and documented; clients may compare it.</summary>
    public const string TypeTrailer = "problem-type";

    /// <summary>Trailer: whole seconds after which a retry may succeed.</summary>
    public const string RetryAfterTrailer = "retry-after";

    /// <summary>Trailer: the same in milliseconds, which retrying gRPC clients obey.</summary>
    public const string PushbackTrailer = "grpc-retry-pushback-ms";

    /// <summary>Clients drop answers whose metadata exceeds 8 KiB; messages may quote what the client sent.</summary>
    private const int LongestMessage = 2000;

    /// <summary>The status of a problem: that of its failure, or else what its HTTP status means.</summary>
    public static GrpcStatus StatusFor(Problem problem) => problem.GrpcStatus ?? problem.Status switch
    {
        StatusCodes.Status401Unauthorized => GrpcStatus.Unauthenticated,
        StatusCodes.Status403Forbidden => GrpcStatus.PermissionDenied,
        StatusCodes.Status404NotFound => GrpcStatus.NotFound,
        StatusCodes.Status429TooManyRequests => GrpcStatus.ResourceExhausted,
        StatusCodes.Status499ClientClosedRequest => GrpcStatus.Cancelled,
        StatusCodes.Status501NotImplemented => GrpcStatus.Unimplemented,
        StatusCodes.Status503ServiceUnavailable => GrpcStatus.Unavailable,
        StatusCodes.Status408RequestTimeout or StatusCodes.Status504GatewayTimeout => GrpcStatus.DeadlineExceeded,
        < 500 => GrpcStatus.InvalidArgument,
        _ => GrpcStatus.Internal,
    };

    /// <summary>
    /// The message of a problem: its detail after the parameter at fault, for defects with the traceId.
    /// </summary>
    public static string MessageFor(Problem problem, HttpContext context)
    {
        var cut = problem.Detail.Length > LongestMessage
            ? problem with { Detail = $"{problem.Detail.AsSpan(0, LongestMessage)}…" }
            : problem;
        return ErrorResponse.TextFor(cut, ProblemResult.TraceId(context));
    }

    /// <summary>The trailers of a problem.</summary>
    public static IEnumerable<(string Name, string Value)> TrailersFor(Problem problem)
    {
        yield return (TypeTrailer, problem.Type);
        if (problem.RetryAfterSeconds is { } seconds)
        {
            yield return (RetryAfterTrailer, seconds.ToString(CultureInfo.InvariantCulture));
            yield return (PushbackTrailer, (seconds * 1000).ToString(CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Ends a call with a problem: the request log and the count of problems see it.</summary>
    /// <returns>The exception that the handler of the call throws.</returns>
    public static RpcException Fail(Problem problem, HttpContext context)
    {
        context.Features.Set(problem);
        ProblemResult.LogCause(problem, context);
        var trailers = new Metadata();
        foreach (var (name, value) in TrailersFor(problem))
        {
            trailers.Add(name, value);
        }

        return new RpcException(new Status((StatusCode)StatusFor(problem), MessageFor(problem, context)), trailers);
    }

    /// <summary>Encodes a message for the header <c>grpc-message</c>: bytes of UTF-8 in percent form.</summary>
    public static string Encode(string message)
    {
        var encoded = new StringBuilder(message.Length);
        foreach (var value in Encoding.UTF8.GetBytes(message))
        {
            if (value is >= 0x20 and <= 0x7E and not (byte)'%')
            {
                encoded.Append((char)value);
            }
            else
            {
                encoded.Append(CultureInfo.InvariantCulture, $"%{value:X2}");
            }
        }

        return encoded.ToString();
    }
}
