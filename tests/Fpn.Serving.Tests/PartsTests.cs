using Fpn.Detection.Geometry;
using Fpn.Detection.Views;
using Fpn.Imaging.Pixels;
using Fpn.Models.Packages;
using Fpn.Serving.Pipeline;
using Fpn.Serving.Requests;
using Fpn.Testing.Fakes;
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

    private TestPipeline? _used;

    private TestPipeline Pipeline => _used ??= new TestPipeline { MaxPixels = 600_000_000 };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _used?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    [Trait("Speed", "slow")]
    public async Task Detect_SlicesOfALargeTiff_HoldAFewPartsAtATime()
    {
        const long Budget = 256 << 20;
        Pipeline.Bytes = new ByteBudget(Budget);
        Pipeline.Options.QueueCapacity = 100;
        Pipeline.Options.MaxBatchSize = 2;
        await Pipeline.StartAsync();
        var (before, held, native) = (NativeImageMemory.TrackedBytes, 0L, 0L);
        Pipeline.Detector.DuringRun = _ =>
        {
            held = Math.Max(held, Pipeline.Bytes.Used);
            native = Math.Max(native, NativeImageMemory.TrackedBytes - before);
        };
        Pipeline.Detector.RunsFreely = true;

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
        await Pipeline.StartAsync();
        var failure = (await Send(ViewOptions.OneView)).Failure!;
        Assert.Equal(FailureKind.TooManyPixels, failure.Kind);
        Assert.Contains("slices", failure.Detail, StringComparison.Ordinal);
    }

    /// <summary>The last tiles are missing: the parts before them are decoded, and the request fails as a
    /// whole.</summary>
    [Fact]
    public async Task Detect_PartIsDamaged_FailsTheImage()
    {
        Pipeline.Bytes = new ByteBudget(1);
        Pipeline.Detector.RunsFreely = true;
        await Pipeline.StartAsync();
        Pipeline.Detector.RunsFreely = true;
        var file = new MadeTiledTiff { Width = 256, Height = 256, Tile = 64, TileLength = 2 }.ToFile();
        var result = await Pipeline.Send(new DetectionRequest(file)
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
        Pipeline.Bytes = new ByteBudget(1);
        Pipeline.Options.QueueCapacity = 100;
        Pipeline.Options.MaxBatchSize = 4;
        await Pipeline.StartAsync();
        Pipeline.Detector.RunsFreely = true;
        var result = await Pipeline.Send(new DetectionRequest(Small)
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
        Assert.Equal(6, Pipeline.Codec.Parts);
        Assert.Equal(0, Pipeline.Codec.Decoded);
    }

    /// <summary>The caller leaves in the middle of 600 million pixels: they are not decoded to the end.</summary>
    [Fact]
    public async Task Detect_CallerLeavesWhileAPartIsDecoded_EndsDecoding()
    {
        await Pipeline.StartAsync();
        using var gone = new CancellationTokenSource();
        Pipeline.Codec.BeforePart = gone.Cancel;
        var request = new DetectionRequest(Large)
        {
            Views = new ViewOptions { Flip = true },
            Cancellation = gone.Token,
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Pipeline.Send(request));
        Assert.Equal(1, Pipeline.Codec.Parts);
        Assert.Equal(0, Pipeline.Codec.FinishedParts);
    }

    /// <summary>Drawing needs the whole picture, so nothing is looked at.</summary>
    [Fact]
    public async Task Detect_LargePictureToBeDrawn_IsRefusedBeforeAnyWork()
    {
        await Pipeline.StartAsync();
        var failure = (await Pipeline.Send(new DetectionRequest(Large)
        {
            Views = new ViewOptions { Flip = true },
            IsDrawn = true,
            Cancellation = Cancel,
        })).Failure!;
        Assert.Equal(FailureKind.TooManyPixels, failure.Kind);
        Assert.Contains("not drawn", failure.Detail, StringComparison.Ordinal);
        Assert.Equal(0, Pipeline.Codec.Parts);
    }

    /// <summary>Such a model would get the whole in its own size, however far it was reduced.</summary>
    [Fact]
    public async Task Detect_WholeLargePictureByAModelThatResizesItself_IsRefused()
    {
        using var plain = new FakeDetector();
        var endToEnd = new EndToEndOptions(
            "image", 3, ResizeInside: true, "boxes", "labels", "scores", BoxesInOriginal: true);
        _used = new TestPipeline(new FakeDetector { Contract = plain.Contract with { EndToEnd = endToEnd } })
        {
            Bytes = new ByteBudget(1),
        };
        await Pipeline.StartAsync();
        Pipeline.Detector.RunsFreely = true;
        var slices = new ViewOptions { Slice = new ImageSize(128, 128), Overlap = 0 };
        var failure = (await SendAsync(slices)).Failure!;
        Assert.Equal(FailureKind.TooManyPixels, failure.Kind);
        Assert.Contains("wholeImage=false", failure.Detail, StringComparison.Ordinal);
        Assert.Equal(0, Pipeline.Codec.Parts);
        Assert.Equal(4, (await SendAsync(slices with { WholeImage = false })).Value!.ViewCount);

        Task<Result<DetectionResult>> SendAsync(ViewOptions views) =>
            Pipeline.Send(new DetectionRequest(Small) { Views = views, Cancellation = Cancel });
    }

    private Task<Result<DetectionResult>> Send(ViewOptions views) =>
        Pipeline.Send(new DetectionRequest(Large) { Views = views, Cancellation = Cancel });
}
