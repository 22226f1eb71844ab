using Fpn.Detection.Geometry;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Painting;
using Fpn.Imaging.Pixels;
using Fpn.Imaging.Vips;
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
    private readonly DecoderSlots _slots = new(1);
    private readonly PaintingPipeline _pipeline;

    public PaintingPipelineTests() => _pipeline = new PaintingPipeline(
        new ImageDecoder(10_000, _codec),
        new PictureDecoding(_bytes, _slots),
        new DetectionPainter(VipsLibrary.FontFolder),
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
        Assert.Equal(painted.Value.Bytes.Length, NativeImageMemory.HeldBytes);
        Assert.Equal((1, 1, 0), (_codec.Opened, _codec.Decoded, _codec.Open));
        painted.Value.Dispose();
        Assert.Throws<ObjectDisposedException>(() => painted.Value.Bytes.Length);
    }

    [Fact]
    public async Task Paint_NoMemory_WaitsUntilThereIs()
    {
        var other = await _bytes.TakeAsync(1, Cancel);
        var painting = PaintAsync();
        Assert.False(painting.IsCompleted);
        other.Dispose();
        (await painting).Value!.Dispose();
    }

    [Fact]
    public async Task Paint_NoSlot_WaitsUntilThereIs()
    {
        var slot = await _slots.EnterAsync(Cancel);
        var painting = PaintAsync();
        await Eventually.TrueAsync(() => _bytes.Used == PaintBytes);
        Assert.False(painting.IsCompleted);
        slot.Dispose();
        (await painting).Value!.Dispose();
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

        (await PaintAsync()).Value!.Dispose();
    }

    [Fact]
    public async Task Paint_MoreThanTheCapacity_IsRefused()
    {
        var other = await _bytes.TakeAsync(1, Cancel);
        var waiting = new[] { PaintAsync(), PaintAsync() };
        var refused = await PaintAsync();
        Assert.Equal(FailureKind.QueueFull, refused.Failure?.Kind);
        other.Dispose();
        foreach (var painting in waiting)
        {
            (await painting).Value!.Dispose();
        }
    }

    [Fact]
    public async Task Paint_BytesThatAreNoImage_SaysSo()
    {
        var nothing = new DetectionRequest("nothing"u8.ToArray()) { Cancellation = Cancel };
        var painted = await _pipeline.PaintAsync(nothing, Objects, PictureEncoding.Png);
        Assert.Equal(FailureKind.UnsupportedFormat, painted.Failure?.Kind);
        var cutOff = new DetectionRequest(Pictures.Png(10, 16).AsMemory(0, 45)) { Cancellation = Cancel };
        painted = await _pipeline.PaintAsync(cutOff, Objects, PictureEncoding.Png);
        Assert.Equal(FailureKind.Undecodable, painted.Failure?.Kind);
    }

    private static void AssertLate(Result<EncodedPicture> painted, int deadline)
    {
        Assert.Equal(FailureKind.DeadlinePassed, painted.Failure?.Kind);
        Assert.Contains($"{deadline} ms passed", painted.Failure!.Detail, StringComparison.Ordinal);
    }

    private Task<Result<EncodedPicture>> PaintAsync(
        int? timeout = null, long? arrived = null, CancellationToken? cancellationToken = null) =>
        _pipeline.PaintAsync(
            new DetectionRequest(Pictures.Png(10, 16))
            {
                Timeout = timeout is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null,
                Arrived = arrived,
                Cancellation = cancellationToken ?? Cancel,
            },
            Objects,
            PictureEncoding.Png);
}
