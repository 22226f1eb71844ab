using Fpn.Service.Bodies;
using Fpn.Service.Connections;
using Fpn.Service.Lifetime;
using Fpn.Service.Problems;
using Fpn.Serving.Requests;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Http.Features;

namespace Fpn.Service.GrpcPort;

/// <summary>
/// Keeps gRPC and HTTP to their own ports, and prepares calls: the form of their problems, their deadline, the reader
/// of their messages.
/// </summary>
internal sealed class GrpcDoor(
    RequestDelegate next,
    GrpcOptions options,
    BodyMemory memory,
    Drain drain,
    ConnectionOptions connections,
    TimeProvider clock)
{
    /// <summary>Lets a request pass to an endpoint of its port only.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        var endpoint = context.GetEndpoint();
        var isMethod = endpoint?.Metadata.GetMetadata<GrpcMethodMetadata>() is not null;
        if (context.Connection.LocalPort != options.Port)
        {
            if (isMethod)
            {
                context.SetEndpoint(null);
            }

            await next(context);
            return;
        }

        if (context.Request.ContentType?.StartsWith(GrpcProblemForm.ContentType, StringComparison.Ordinal) is not true)
        {
            await new ProblemResult(OtherPort()).ExecuteAsync(context);
            return;
        }

        context.Features.Set<IProblemForm>(GrpcProblemForm.Instance);
        if (!isMethod)
        {
            await new ProblemResult(Problem.UnknownMethod(context.Request.Path)).ExecuteAsync(context);
            return;
        }

        if (drain.Closing.IsCancellationRequested)
        {
            await new ProblemResult(Closed()).ExecuteAsync(context);
            return;
        }

        if (endpoint!.Metadata.GetMetadata<MessageLimit>() is not { } limit)
        {
            await next(context);
            return;
        }

        if (!CallDeadline.Take(context.Request.Headers, clock).Succeeded(out var deadline, out var problem))
        {
            await new ProblemResult(problem).ExecuteAsync(context);
            return;
        }

        using var messages =
            new MessageReader(context, limit.MostBytes, deadline, memory, drain, connections, clock);
        context.Features.Set(deadline);
        context.Features.Set(messages);
        context.Features.Set<IRequestBodyPipeFeature>(messages);
        await next(context);
    }

    /// <summary>The problem of a call that arrives after the port was closed to new ones.</summary>
    public static Problem Closed() =>
        FailureProblems.ProblemFor(FailureKind.ShuttingDown, "The service is shutting down.");

    private static Problem OtherPort() => Problem.FromStatus(StatusCodes.Status415UnsupportedMediaType) with
    {
        Detail = "This port is for gRPC; HTTP is served at the other.",
    };
}
