using Fpn.Service.Bodies;
using Fpn.Service.GrpcPort;
using Fpn.Service.Lifetime;
using Fpn.Service.Observability;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;

namespace Fpn.Service.OpenInferenceGrpc;

/// <summary>Answers <c>ModelStreamInfer</c>: requests side by side, each answered when it is ready.</summary>
/// <remarks>A request that fails is answered with its error, and the stream goes on.</remarks>
internal sealed class InferStream(InferRunner runner, Drain drain, ServiceMetrics metrics)
{
    /// <summary>Requests of a stream that are being answered at most; the next is read afterwards.</summary>
    private const int MostInFlight = 64;

    /// <summary>Parameter of every answer: whether it is the last to its request. Each request has one.</summary>
    private const string FinalResponse = "triton_final_response";

    private static readonly InferParameter Yes = new() { BoolParam = true };

    /// <summary>Answers a stream.</summary>
    /// <param name="requests">The requests.</param>
    /// <param name="answers">Takes the answers.</param>
    /// <param name="context">The call.</param>
    /// <exception cref="RpcException">The stream ended before its client ended it.</exception>
    public async Task RunAsync(
        IAsyncStreamReader<InferMessage> requests,
        IServerStreamWriter<ModelStreamInferResponse> answers,
        ServerCallContext context)
    {
        var http = context.GetHttpContext();
        var messages = http.Features.GetRequiredFeature<MessageReader>();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, drain.Closing);
        using var places = new SemaphoreSlim(MostInFlight);
        using var turn = new SemaphoreSlim(1);
        var isFirst = true;
        try
        {
            while (true)
            {
                await places.WaitAsync(end.Token);
                var answered = false;
                try
                {
                    if (!await requests.MoveNext(end.Token) || messages.Problem is not null)
                    {
                        break;
                    }

                    // The key was checked, and the first request counted, before the call began.
                    var problem = isFirst || http.Caller().TryEnter(out var retryAfter)
                        ? null
                        : Problem.RateExceeded(http.Caller().Name!, retryAfter);
                    isFirst = false;
                    _ = AnswerAsync(requests.Current, messages.TakeMessage(), problem);
                    answered = true;
                }
                finally
                {
                    if (!answered)
                    {
                        places.Release();
                    }
                }
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // What was read is answered; why nothing more is read is said below.
        }

        for (var i = 0; i < MostInFlight; i++)
        {
            await places.WaitAsync(CancellationToken.None);
        }

        if (http.RequestAborted.IsCancellationRequested)
        {
            throw new RpcException(Status.DefaultCancelled);
        }

        if ((messages.Problem ?? (end.IsCancellationRequested ? GrpcDoor.Closed() : null)) is { } ending)
        {
            throw GrpcStatuses.Fail(ending, http);
        }

        async Task AnswerAsync(InferMessage message, ImageBody? body, Problem? problem)
        {
            try
            {
                ModelStreamInferResponse answer;
                using (body)
                {
                    answer = await CreateAsync(message, problem, http);
                }

                await turn.WaitAsync(http.RequestAborted);
                try
                {
                    await answers.WriteAsync(answer);
                }
                finally
                {
                    turn.Release();
                }
            }
#pragma warning disable CA1031 // Writing fails only when the client is gone, which ends the stream.
            catch (Exception)
#pragma warning restore CA1031
            {
                http.Abort();
            }
            finally
            {
                places.Release();
            }
        }
    }

    private async Task<ModelStreamInferResponse> CreateAsync(InferMessage message, Problem? problem, HttpContext http)
    {
        var id = string.Empty;
        try
        {
            if (InferQueryReader.ReadAddress(message.Bytes).Succeeded(out var address, out var wrong))
            {
                id = address.Id;
                if (problem is null
                    && (await runner.AnswerAsync(message.Bytes, address, http)).Succeeded(out var answer, out wrong))
                {
                    answer.Parameters.Add(FinalResponse, Yes);
                    return new ModelStreamInferResponse { InferResponse = answer };
                }
            }

            problem ??= wrong!;
        }
        catch (Exception exception) when (InferenceService.IsDefect(exception, http))
        {
            problem = FailureProblems.FromException(exception);
        }

        metrics.RecordProblem(problem);
        ProblemResult.LogCause(problem, http);
        return new ModelStreamInferResponse
        {
            ErrorMessage = GrpcStatuses.MessageFor(problem, http),
            InferResponse = new ModelInferResponse { Id = id, Parameters = { { FinalResponse, Yes } } },
        };
    }
}
