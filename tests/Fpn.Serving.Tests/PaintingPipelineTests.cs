using Fpn.Detection.Geometry;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Painting;
using Fpn.Imaging.Pixels;
using Fpn.Imaging.Vips;
using Fpn.Models.Options;
using Fpn.Serving.Pipeline;
using Fpn.Serving.Requests;
using Fpn.Serving.Sizing;
using Fpn.Testing.Fakes;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Serving.Tests;

/// <summary>Drawing keeps to the memory, the slots, the deadline and the capacity. Nothing else decodes
/// meanwhile.</summary>
[Collection(Alone.Collection)]
public sealed class PaintingPipelineTests : IDisposable
{
    /// <summary>Decoded bytes of an image of 10 by 16 pixels, and room for its file.</summary>
    private const long PaintBytes = 2 * 10 * 16 * 3;

    private static readonly PaintedObject[] Objects = [new(new Box(1, 1, 5, 5), "thing 0.50", 0)];

    private readonly FakeClock _clock = new();
    private readonly ByteBudget _bytes = new(PaintBytes);
    private readonly CountingCodec _codec = new(new VipsCodec());
    private readonly DecoderSlots _slots = new(new ExecutionOptions { Threads = 1 });
    private readonly PaintingPipeline _pipeline;

    public PaintingPipelineTests() => _pipeline = new PaintingPipeline(
        new ImageDecoder(10_000, _codec),
        new DetectionPainter(VipsLibrary.FontFolder),
        _bytes,
        _slots,
        new BatchingOptions { QueueCapacity = 2, Deadline = TimeSpan.FromSeconds(30) },
        _clock);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Whatever the test did, nothing is left behind.</summary>
    public void Dispose()
    {
        Assert.Equal(0, _bytes.Used);
        Assert.Equal(0, NativeImageMemory.HeldBytes);
        _slots.Dispose();
    }

    [Fact]
    public async Task Paint_Picture_HoldsOnlyTheFileAfterwards()
    {
        var painted = await PaintAsync();
        Assert.True(painted.Succeeded);
        Assert.Equal(0, _bytes.Used);
        Assert.Equal(painted.Picture.Bytes.Length, NativeImageMemory.HeldBytes);
        Assert.Equal((1, 1, 0), (_codec.Opened, _codec.Decoded, _codec.Open));
        painted.Picture.Dispose();
        Assert.Throws<ObjectDisposedException>(() => painted.Picture.Bytes.Length);
    }

    [Fact]
    public async Task Paint_NoMemory_WaitsUntilThereIs()
    {
        var other = await _bytes.TakeAsync(1, Cancel);
        var painting = PaintAsync();
        Assert.False(painting.IsCompleted);
        other.Dispose();
        (await painting).Picture!.Dispose();
    }

    [Fact]
    public async Task Paint_NoSlot_WaitsUntilThereIs()
    {
        var slot = await _slots.EnterAsync(Cancel);
        var painting = PaintAsync();
        await Eventually.TrueAsync(() => _bytes.Used == PaintBytes);
        Assert.False(painting.IsCompleted);
        slot.Dispose();
        (await painting).Picture!.Dispose();
    }

    [Theory]
    [InlineData(null, 30_000)]
    [InlineData(200, 200)]
    [InlineData(50_000, 30_000)]
    public async Task Paint_DeadlineCountsFromArrival_PassesWhileItWaits(int? timeout, int deadline)
    {
        using var other = await _bytes.TakeAsync(1, Cancel);
        var arrived = _clock.GetTimestamp();
        _clock.Advance(TimeSpan.FromMilliseconds(deadline / 2));
        var painting = PaintAsync(timeout, arrived: arrived);
        _clock.Advance(TimeSpan.FromMilliseconds(deadline / 2 - 1));
        Assert.False(painting.IsCompleted);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        AssertLate(await painting, deadline);
        AssertLate(await PaintAsync(timeout, arrived: arrived), deadline);
    }

    [Fact]
    public async Task Paint_CallerGoesAway_IsCancelledAndLeavesNothing()
    {
        using var gone = new CancellationTokenSource();
        using (await _bytes.TakeAsync(1, Cancel))
        {
            var painting = PaintAsync(cancellationToken: gone.Token);
            await gone.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => painting);
        }

        (await PaintAsync()).Picture!.Dispose();
    }

    [Fact]
    public async Task Paint_MoreThanTheCapacity_IsRefused()
    {
        var other = await _bytes.TakeAsync(1, Cancel);
        var waiting = new[] { PaintAsync(), PaintAsync() };
        var refused = await PaintAsync();
        Assert.Equal(DetectionFailure.QueueFull, refused.Failure!.Failure);
        other.Dispose();
        foreach (var painting in waiting)
        {
            (await painting).Picture!.Dispose();
        }
    }

    [Fact]
    public async Task Paint_BytesThatAreNoImage_SaysSo()
    {
        var painted = await _pipeline.PaintAsync(
            "nothing"u8.ToArray(), Objects, PictureEncoding.Png, null, _clock.GetTimestamp(), Cancel);
        Assert.Equal(DetectionFailure.UnsupportedFormat, painted.Failure!.Failure);
        painted = await _pipeline.PaintAsync(
            Pictures.Png(10, 16).AsMemory(0, 45), Objects, PictureEncoding.Png, null, _clock.GetTimestamp(), Cancel);
        Assert.Equal(DetectionFailure.Undecodable, painted.Failure!.Failure);
    }

    private static void AssertLate(PaintedPicture painted, int deadline)
    {
        Assert.Equal(DetectionFailure.DeadlinePassed, painted.Failure!.Failure);
        Assert.Contains($"{deadline} ms passed", painted.Failure.FailureDetail, StringComparison.Ordinal);
    }

    private Task<PaintedPicture> PaintAsync(
        int? timeout = null, long? arrived = null, CancellationToken? cancellationToken = null) =>
        _pipeline.PaintAsync(
            Pictures.Png(10, 16),
            Objects,
            PictureEncoding.Png,
            timeout is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null,
            arrived ?? _clock.GetTimestamp(),
            cancellationToken ?? Cancel);
}
