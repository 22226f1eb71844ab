using System.Globalization;
using Fpn.Imaging.Pixels;
using Fpn.Models.Loading;
using Fpn.Service.Bodies;
using Fpn.Service.Lifetime;
using Fpn.Service.OpenInferenceGrpc;
using Fpn.Serving.Lanes;
using Fpn.Testing.Fakes;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Fpn.Service.Tests.OpenInferenceGrpc;

/// <summary>
/// The queue as gRPC sees it, with a model whose runs end when the test says so. Nothing else decodes meanwhile: what a
/// call leaves in native memory is counted.
/// </summary>
[Collection(Alone.Collection)]
public sealed class GrpcScheduleTests : IAsyncDisposable
{
    private readonly FakeDetector _detector = new() { RunsFreely = true };
    private GrpcCalls? _calls;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private ModelLane Lane => _calls!.Service.Services.GetRequiredService<LaneRegistry>().Lanes[0];

    /// <summary>Whatever the test did, every buffer and every place in the queue is given back.</summary>
    public async ValueTask DisposeAsync()
    {
        _detector.RunsFreely = true;
        await Eventually.TrueAsync(() => Lane.Admitted == 0);
        var memory = _calls!.Service.Services.GetRequiredService<BodyMemory>();
        await Eventually.TrueAsync(() => memory.Taken == 0);
        _calls.Dispose();
        Assert.Equal(0, NativeImageMemory.HeldBytes);
    }

    [Fact]
    public async Task Priority_ByParameterOrMetadata_GoesFirst()
    {
        Start(("Fpn:Batching:MaxBatchSize", "1"));
        var first = await OccupyAsync(100);
        var ahead = Infer(1); // Prepared while the first runs.
        await _detector.NextPreparedAsync();
        AsyncUnaryCall<ModelInferResponse>[] waiting =
        [
            Infer(13, 3), Infer(20), Infer(11, 1), Infer(21, null, ("x-priority", "high")),
            Infer(23, 3, ("x-priority", "high")),
        ];
        await Eventually.TrueAsync(() => Lane.Batcher.Waiting == waiting.Length);
        first.Run.End();
        var order = new List<int>();
        for (var i = 0; i < waiting.Length + 1; i++)
        {
            var run = await _detector.NextRunAsync();
            order.AddRange(run.Widths);
            run.End();
        }

        foreach (var call in (AsyncUnaryCall<ModelInferResponse>[])[first.Call, ahead, .. waiting])
        {
            await call;
            call.Dispose();
        }

        Assert.Equal([1], order[..1]);
        Assert.Equal([11, 21], order[1..3].Order());
        Assert.Equal([20], order[3..4]);
        Assert.Equal([13, 23], order[4..].Order());
    }

    [Fact]
    public async Task Deadline_OfTheCall_EndsTheWaitInTheQueue()
    {
        Start();
        var first = await OccupyAsync(100);
        using var late = _calls!.Infer(
            GrpcCalls.Request("fake", Pictures.Png(11, 16)), deadline: TimeSpan.FromMilliseconds(300));
        var failure = await Assert.ThrowsAsync<RpcException>(() => late.ResponseAsync);
        Assert.Equal(StatusCode.DeadlineExceeded, failure.StatusCode);
        await Eventually.TrueAsync(() => Lane.Admitted == 1);
        await EndAsync(first);
    }

    [Fact]
    public async Task Deadline_ByParameter_IsDeadlineExceededWithItsProblem()
    {
        Start();
        var first = await OccupyAsync(100);
        var request = GrpcCalls.Request("fake", Pictures.Png(11, 16));
        request.Parameters["timeout"] = new InferParameter { Int64Param = 1 };
        await GrpcCalls.FailAsync(_calls!.Infer(request), StatusCode.DeadlineExceeded, "deadline-passed");
        await EndAsync(first);
    }

    [Fact]
    public async Task Queue_Full_IsUnavailableAndSaysWhenToRetry()
    {
        Start(("Fpn:Batching:MaxBatchSize", "1"), ("Fpn:Batching:QueueCapacity", "1"));
        var first = await OccupyAsync(100);
        using var second = Infer(11);
        await Eventually.TrueAsync(() => Lane.Admitted == 2);
        var failure = await GrpcCalls.FailAsync(Infer(12), StatusCode.Unavailable, "queue-full");
        var seconds = int.Parse(failure.Trailers.GetValue("retry-after")!, CultureInfo.InvariantCulture);
        Assert.True(seconds >= 1);
        Assert.Equal($"{seconds * 1000}", failure.Trailers.GetValue("grpc-retry-pushback-ms"));
        await EndAsync(first);
        await second;
    }

    [Fact]
    public async Task Call_Cancelled_LeavesTheQueue()
    {
        Start();
        var first = await OccupyAsync(100);
        using var gone = new CancellationTokenSource();
        using var lost = _calls!.InferUntil(
            GrpcCalls.Request("fake", Pictures.Png(11, 16), Pictures.Png(12, 16)), gone);
        await Eventually.TrueAsync(() => Lane.Admitted == 3);
        await gone.CancelAsync();
        var failure = await Assert.ThrowsAsync<RpcException>(() => lost.ResponseAsync);
        Assert.Equal(StatusCode.Cancelled, failure.StatusCode);
        await Eventually.TrueAsync(() => Lane.Admitted == 1);
        await EndAsync(first);
        Assert.DoesNotContain(
            _calls.Service.Log.All, line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Model_GivesNaN_IsInternalWithATraceId()
    {
        _detector.PoisonedWidths.Add(66);
        Start();
        _detector.RunsFreely = true;
        var failure = await GrpcCalls.FailAsync(Infer(66), StatusCode.Internal, "model-output-not-finite");
        Assert.Contains("(traceId ", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Memory_OfBodies_IsLimitedTogether()
    {
        Start(("Fpn:Limits:MaxBodyBytes", "1048576"));
        _detector.RunsFreely = true;
        var large = GrpcCalls.Request("fake", new byte[2 << 20]);
        await GrpcCalls.FailAsync(_calls!.Infer(large), StatusCode.Unavailable, "queue-full");
        using var small = Infer(11);
        var answer = await small;
        Assert.Equal([11], GrpcCalls.Raw<float>(answer, "scores"));
    }

    [Fact]
    public async Task Drain_AcceptedCallsAreAnsweredAndLaterOnesAreUnavailable()
    {
        Start();
        var first = await OccupyAsync(100);
        using var stream = _calls!.Stream();
        await stream.RequestStream.WriteAsync(
            GrpcCalls.Request("fake", Pictures.Png(12, 16)), Cancel);
        await Eventually.TrueAsync(() => Lane.Admitted == 2);
        await _calls.Service.Services.GetRequiredService<Drain>()
            .StoppingAsync(Cancel);
        await GrpcCalls.FailAsync(Infer(11), StatusCode.Unavailable, "shutting-down");
        _detector.RunsFreely = true;
        first.Run.End();
        var answer = await first.Call;
        Assert.Equal([100], GrpcCalls.Raw<float>(answer, "scores"));
        first.Call.Dispose();
        Assert.True(await stream.ResponseStream.MoveNext(Cancel));
        Assert.Equal([12], GrpcCalls.Raw<float>(stream.ResponseStream.Current.InferResponse, "scores"));
        var end = await Assert.ThrowsAsync<RpcException>(
            () => stream.ResponseStream.MoveNext(Cancel));
        Assert.Equal(StatusCode.Unavailable, end.StatusCode);
    }

    [Fact]
    public async Task Stream_AnswersAsTheyBecomeReady_WithTheirIds()
    {
        Start(("Fpn:Batching:MaxBatchSize", "1"));
        using var stream = _calls!.Stream();
        await SendAsync(stream, "slow", GrpcCalls.Request("fake", Pictures.Png(100, 16)));
        await _detector.NextPreparedAsync();
        var run = await _detector.NextRunAsync();
        await SendAsync(stream, "broken", GrpcCalls.Request("fake", "no image"u8.ToArray()));
        await SendAsync(stream, "unknown", GrpcCalls.Request("nobody", Pictures.Png(11, 16)));

        // Both fail while the first is on the device.
        var failures = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < 2; i++)
        {
            var failed = await NextAsync(stream);
            failures.Add(failed.InferResponse.Id, failed.ErrorMessage);
        }

        Assert.StartsWith("image[0]: ", failures["broken"], StringComparison.Ordinal);
        Assert.StartsWith("There is no model 'nobody'", failures["unknown"], StringComparison.Ordinal);
        _detector.RunsFreely = true;
        run.End();
        var slow = await NextAsync(stream);
        Assert.Equal(("", "slow"), (slow.ErrorMessage, slow.InferResponse.Id));
        Assert.Equal([100], GrpcCalls.Raw<float>(slow.InferResponse, "scores"));
        await stream.RequestStream.CompleteAsync();
        Assert.False(await stream.ResponseStream.MoveNext(Cancel));
        Assert.Equal(StatusCode.OK, stream.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Stream_ThreeHundredRequests_AreAllAnswered()
    {
        Start();
        _detector.RunsFreely = true;
        using var stream = _calls!.Stream();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var reading = Task.Run(async () =>
        {
            while (await stream.ResponseStream.MoveNext(Cancel))
            {
                var answer = stream.ResponseStream.Current;
                Assert.Empty(answer.ErrorMessage);
                Assert.True(answer.InferResponse.Parameters["triton_final_response"].BoolParam);
                Assert.Equal(
                    int.Parse(answer.InferResponse.Id, CultureInfo.InvariantCulture),
                    GrpcCalls.Raw<float>(answer.InferResponse, "scores").Single());
                Assert.True(seen.Add(answer.InferResponse.Id));
            }
        }, Cancel);
        for (var width = 1; width <= 300; width++)
        {
            await SendAsync(
                stream,
                width.ToString(CultureInfo.InvariantCulture),
                GrpcCalls.Request("fake", Pictures.Png(width, 16)));
        }

        await stream.RequestStream.CompleteAsync();
        await reading;
        Assert.Equal(300, seen.Count);
    }

    private static Task SendAsync(
        AsyncDuplexStreamingCall<ModelInferRequest, ModelStreamInferResponse> stream,
        string id,
        ModelInferRequest request)
    {
        request.Id = id;
        return stream.RequestStream.WriteAsync(request, Cancel);
    }

    private static async Task<ModelStreamInferResponse> NextAsync(
        AsyncDuplexStreamingCall<ModelInferRequest, ModelStreamInferResponse> stream)
    {
        Assert.True(await stream.ResponseStream.MoveNext(Cancel));
        return stream.ResponseStream.Current;
    }

    private void Start(params (string Name, string Value)[] settings)
    {
        _calls = new GrpcCalls(
            services => services.AddSingleton<IModelPackages>(new FakePackages(("fake", () => _detector))),
            [("Fpn:Batching:TuningBudget", "0"), ("Fpn:Batching:MaxBatchSize", "2"), .. settings]);

        // It is warm now.
        _detector.RunsFreely = false;
        _detector.Forget();
    }

    private AsyncUnaryCall<ModelInferResponse> Infer(
        int width, int? priority = null, params (string Name, string Value)[] metadata)
    {
        var request = GrpcCalls.Request("fake", Pictures.Png(width, 16));
        if (priority is { } level)
        {
            request.Parameters["priority"] = new InferParameter { Uint64Param = (ulong)level };
        }

        return _calls!.Infer(request, metadata: metadata);
    }

    /// <summary>Puts one call on the device.</summary>
    private async Task<(FakeRun Run, AsyncUnaryCall<ModelInferResponse> Call)> OccupyAsync(int width)
    {
        var call = Infer(width);
        await _detector.NextPreparedAsync();
        return (await _detector.NextRunAsync(), call);
    }

    private async Task EndAsync((FakeRun Run, AsyncUnaryCall<ModelInferResponse> Call) first)
    {
        _detector.RunsFreely = true;
        first.Run.End();
        await first.Call;
        first.Call.Dispose();
    }
}
