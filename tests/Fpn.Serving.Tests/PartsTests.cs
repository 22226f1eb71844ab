using Fpn.Detection.Geometry;
using Fpn.Detection.Views;
using Fpn.Imaging.Pixels;
using Fpn.Serving.Pipeline;
using Fpn.Serving.Requests;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Serving.Tests;

/// <summary>A picture that is larger than memory allows is decoded part by part.</summary>
[Collection(Alone.Collection)]
public sealed class PartsTests : IAsyncDisposable
{
    /// <summary>600 million pixels in 3 kB: every tile is the same.</summary>
    private static readonly byte[] Large = new MadeTiledTiff { Width = 30_000, Height = 20_000, Tile = 256 }.ToFile();

    private static readonly byte[] Small = new MadeTiledTiff { Width = 256, Height = 256, Tile = 64 }.ToFile();

    private readonly TestPipeline _pipeline = new() { MaxPixels = 600_000_000 };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _pipeline.DisposeAsync();

    [Fact]
    [Trait("Speed", "slow")]
    public async Task Detect_SlicesOfALargeTiff_HoldAFewPartsAtATime()
    {
        const long Budget = 256 << 20;
        _pipeline.Bytes = new ByteBudget(Budget);
        _pipeline.Options.QueueCapacity = 100;
        _pipeline.Options.MaxBatchSize = 2;
        await _pipeline.StartAsync();
        var (before, held, native) = (NativeImageMemory.TrackedBytes, 0L, 0L);
        _pipeline.Detector.DuringRun = _ =>
        {
            held = Math.Max(held, _pipeline.Bytes.Used);
            native = Math.Max(native, NativeImageMemory.TrackedBytes - before);
        };
        _pipeline.Detector.RunsFreely = true;

        var result = await Send(new ViewOptions { Slice = new ImageSize(4000, 5000), Overlap = 0, Scales = [64] });

        // The whole, and five rows of six slices; each finds the pixel in its corner.
        var found = result.Value!;
        Assert.Equal(31, found.ViewCount);
        Assert.Equal(new ImageSize(20_000, 30_000), found.Size);
        Assert.Equal(
            from y in Enumerable.Range(0, 5)
            from x in Enumerable.Range(0, 6)
            select new Box(5000 * x, 4000 * y, (5000 * x) + 1, (4000 * y) + 1),
            found.Detections.Select(detection => detection.Box).Order(Comparer<Box>.Create(
                (a, b) => a.Y1 == b.Y1 ? a.X1.CompareTo(b.X1) : a.Y1.CompareTo(b.Y1))));
        Assert.InRange(held, 1, Budget);
        Assert.InRange(native, 1, Budget);
    }

    [Fact]
    public async Task Detect_LargeTiffWithoutSlices_SaysHowItCanBeRead()
    {
        await _pipeline.StartAsync();
        var failure = (await Send(ViewOptions.OneView)).Failure!;
        Assert.Equal(FailureKind.TooManyPixels, failure.Kind);
        Assert.Contains("slices", failure.Detail, StringComparison.Ordinal);
    }

    /// <summary>The last tiles are missing: the parts before them are decoded, and the request fails as a
    /// whole.</summary>
    [Fact]
    public async Task Detect_PartIsDamaged_FailsTheImage()
    {
        _pipeline.Bytes = new ByteBudget(1);
        _pipeline.Detector.RunsFreely = true;
        await _pipeline.StartAsync();
        _pipeline.Detector.RunsFreely = true;
        var file = new MadeTiledTiff { Width = 256, Height = 256, Tile = 64, TileLength = 2 }.ToFile();
        var result = await _pipeline.Send(new DetectionRequest(file)
        {
            Views = new ViewOptions { Slice = new ImageSize(128, 128), Overlap = 0, WholeImage = false },
            Cancellation = Cancel,
        });
        Assert.Equal(FailureKind.Undecodable, result.Failure!.Kind);
    }

    /// <summary>Four slices, each in two sizes and mirrored, and the whole, which is reduced for each size. With room
    /// for nothing, each part is let go before the next is decoded.</summary>
    [Fact]
    public async Task Detect_PartInSeveralSizesAndMirrored_IsDecodedOnce()
    {
        _pipeline.Bytes = new ByteBudget(1);
        _pipeline.Options.QueueCapacity = 100;
        _pipeline.Options.MaxBatchSize = 4;
        await _pipeline.StartAsync();
        _pipeline.Detector.RunsFreely = true;
        var result = await _pipeline.Send(new DetectionRequest(Small)
        {
            Views = new ViewOptions
            {
                Slice = new ImageSize(128, 128),
                Overlap = 0,
                Scales = [64, 96],
                Flip = true,
            },
            Cancellation = Cancel,
        });
        Assert.Equal(20, result.Value!.ViewCount);
        Assert.Equal(6, _pipeline.Codec.Parts);
        Assert.Equal(0, _pipeline.Codec.Decoded);
    }

    /// <summary>The caller leaves in the middle of 600 million pixels: they are not decoded to the end.</summary>
    [Fact]
    public async Task Detect_CallerLeavesWhileAPartIsDecoded_EndsDecoding()
    {
        await _pipeline.StartAsync();
        using var gone = new CancellationTokenSource();
        _pipeline.Codec.BeforePart = gone.Cancel;
        var request = new DetectionRequest(Large)
        {
            Views = new ViewOptions { Flip = true },
            Cancellation = gone.Token,
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _pipeline.Send(request));
        Assert.Equal(1, _pipeline.Codec.Parts);
        Assert.Equal(0, _pipeline.Codec.FinishedParts);
    }

    private Task<Result<DetectionResult>> Send(ViewOptions views) =>
        _pipeline.Send(new DetectionRequest(Large) { Views = views, Cancellation = Cancel });
}
