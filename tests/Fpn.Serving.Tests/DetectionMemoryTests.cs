using Fpn.Imaging.Pixels;
using Fpn.Serving.Pipeline;
using Fpn.Testing.Running;

namespace Fpn.Serving.Tests;

/// <summary>Images that wait for memory, and what is freed when a caller leaves.</summary>
[Collection(Alone.Collection)]
public sealed class DetectionMemoryTests : IAsyncDisposable
{
    private readonly TestPipeline _pipeline = new();

    public ValueTask DisposeAsync() => _pipeline.DisposeAsync();

    [Fact]
    public async Task Detect_ImageThatWaitsForMemory_HoldsNothingOfTheCodec()
    {
        _pipeline.Bytes = new ByteBudget(TestPipeline.ImageBytes);
        await _pipeline.StartAsync();
        var (run, first) = await _pipeline.OccupyAsync();
        var second = _pipeline.Send(11);
        Assert.Equal((2, 1, 0), (_pipeline.Codec.Opened, _pipeline.Codec.Decoded, _pipeline.Codec.Open));

        run.End();
        Assert.Null((await first).Failure);
        await _pipeline.EndNextAsync(11);
        Assert.Null((await second).Failure);
        Assert.Equal((2, 0), (_pipeline.Codec.Decoded, _pipeline.Codec.Open));
    }

    [Fact]
    public async Task Detect_NoRoomForThePixels_WaitsBeforeDecoding()
    {
        _pipeline.Bytes = new ByteBudget(TestPipeline.ImageBytes);
        await _pipeline.StartAsync();
        var (run, first) = await _pipeline.OccupyAsync();
        var second = _pipeline.Send(11);
        Assert.Equal(TestPipeline.ImageBytes, _pipeline.Bytes.Used);
        Assert.Equal(TestPipeline.ImageBytes, NativeImageMemory.HeldBytes);
        Assert.Equal(0, _pipeline.Lane.Batcher.Waiting);

        run.End();
        Assert.Null((await first).Failure);
        var next = await _pipeline.Detector.NextRunAsync();
        Assert.Equal(11 * 16 * 3, _pipeline.Bytes.Used);
        next.End();
        Assert.Null((await second).Failure);
    }

    [Fact]
    public async Task Detect_CallerLeavesWhileWaitingForMemory_TakesNothing()
    {
        _pipeline.Bytes = new ByteBudget(TestPipeline.ImageBytes);
        await _pipeline.StartAsync();
        var (run, first) = await _pipeline.OccupyAsync();
        using var gone = new CancellationTokenSource();
        var second = _pipeline.Send(11, gone: gone);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        Assert.Equal((1, TestPipeline.ImageBytes), (_pipeline.Lane.Admitted, _pipeline.Bytes.Used));
        run.End();
        Assert.Null((await first).Failure);
    }

    [Fact]
    public async Task Detect_CallerLeftBeforeDecoding_TakesNothing()
    {
        await _pipeline.StartAsync();
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _pipeline.Send(11, gone: gone));
        Assert.Equal((0, 0L, 0L), (_pipeline.Lane.Admitted, _pipeline.Bytes.Used, NativeImageMemory.HeldBytes));
    }

    [Fact]
    public async Task Detect_CallerLeavesTheQueue_FreesItsPictureAtOnce()
    {
        _pipeline.Options.MaxBatchSize = 4;
        await _pipeline.StartAsync();
        var (run, first) = await _pipeline.OccupyAsync();
        using var gone = new CancellationTokenSource();
        var second = _pipeline.Send(11, gone: gone);
        await Eventually.TrueAsync(() => _pipeline.Lane.Batcher.Waiting == 1);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        Assert.Equal(1, _pipeline.Lane.Admitted);
        Assert.Equal(TestPipeline.ImageBytes, _pipeline.Bytes.Used);
        Assert.Equal(TestPipeline.ImageBytes, NativeImageMemory.HeldBytes);
        run.End();
        Assert.Null((await first).Failure);
    }

    [Fact]
    public async Task Detect_CallerLeavesTheDevice_FreesItsPictureAfterTheRun()
    {
        await _pipeline.StartAsync();
        using var gone = new CancellationTokenSource();
        var answer = _pipeline.Send(10, gone: gone);
        var run = await _pipeline.Detector.NextRunAsync();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
        Assert.Equal((0, TestPipeline.ImageBytes), (_pipeline.Lane.Admitted, _pipeline.Bytes.Used));
        run.End();
        await Eventually.TrueAsync(() => _pipeline.Bytes.Used == 0 && NativeImageMemory.HeldBytes == 0);
    }
}
