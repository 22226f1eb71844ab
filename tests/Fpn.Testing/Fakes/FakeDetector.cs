using System.Threading.Channels;
using Fpn.Detection.Anchors;
using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Preprocessing;
using Fpn.Detection.Proposals;
using Fpn.Detection.RoiHeads;
using Fpn.Detection.Tensors;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Execution.Sessions;
using Fpn.Models.Packages;

namespace Fpn.Testing.Fakes;

/// <summary>A model whose runs begin, end and fail when the test says so. An image's one detection has its width as
/// score.</summary>
/// <param name="input">The input rule; null takes images as they are, padded to multiples of 32.</param>
internal sealed class FakeDetector(InputOptions? input = null) : IDetector
{
    private readonly Channel<FakeRun> _runs = Channel.CreateUnbounded<FakeRun>();
    private readonly Channel<int> _prepared = Channel.CreateUnbounded<int>();
    private int _measurements;

    public ModelContract Contract { get; init; } = new()
    {
        Name = "fake",
        Version = "1",
        Layout = ModelLayout.TwoStage,
        Convention = Convention.Torchvision,
        Files = new Dictionary<string, GraphFile>(),
        Input = input ?? new InputOptions { MinSize = 800, MaxSize = 1333 },
        Anchors = new AnchorOptions { Levels = [] },
        Proposals = new ProposalOptions(),
        LevelAssignment = new LevelAssignmentOptions(),
        RoiHeads = new RoiHeadsOptions { Classes = 1 },
        Labels = ["thing"],
        ClassIds = [1],
    };

    public int LargestBatch { get; init; } = int.MaxValue;

    public IReadOnlyDictionary<string, long> UnwarmedShapes { get; set; } = new Dictionary<string, long>();

    /// <summary>The shapes of its warm-up.</summary>
    public FixedShapes? Shapes { get; private set; }

    public IReadOnlyList<OnnxGraph> Graphs => [];

    /// <summary>Widths of images for which the choice of detections fails.</summary>
    public HashSet<int> PoisonedWidths { get; } = [];

    /// <summary>Widths of images with which a whole run fails.</summary>
    public HashSet<int> FatalWidths { get; } = [];

    /// <summary>Whether runs end by themselves.</summary>
    public bool RunsFreely { get; set; }

    /// <summary>What a run of so many images does besides: moves the clock, say.</summary>
    public Action<int>? DuringRun { get; set; }

    public int Disposals { get; private set; }

    /// <summary>How often an image was measured.</summary>
    public int Measurements => Volatile.Read(ref _measurements);

    public ImageGeometry Measure(ImageSize original, int? minSize = null)
    {
        Interlocked.Increment(ref _measurements);
        var transform = new ResizeTransform(minSize is { } side ? Contract.Input.WithMinSize(side) : Contract.Input);
        var resized = input is null && minSize is null ? original : transform.ResizedSize(original);
        return new ImageGeometry(original, resized, transform.PaddedSize(resized));
    }

    /// <summary>The largest batch that there is memory to prepare for.</summary>
    public int MemoryToPrepare { get; init; } = int.MaxValue;

    public PreparedBatch Prepare(ImageSize padded, IReadOnlyList<MeasuredImage> images)
    {
        if (images.Count > MemoryToPrepare)
        {
            throw new ModelFailureException("out of page-locked memory.");
        }

        _prepared.Writer.TryWrite(images.Count);
        return new(ImageBatch.Rent(images.Count, padded), [.. images.Select(image => image.Geometry)]);
    }

    /// <summary>The largest batch that there is memory for.</summary>
    public int MemoryForBatch { get; init; } = int.MaxValue;

    public void WarmUp(FixedShapes shapes, Action<int> progress) => Shapes = shapes.BatchSizes[^1] <= MemoryForBatch
        ? shapes
        : throw new ModelFailureException("out of memory.");

    public InferredBatch Infer(PreparedBatch batch)
    {
        var run = new FakeRun([.. batch.Geometries.Select(geometry => geometry.Original.Width)], batch.Tensor.Size);
        _runs.Writer.TryWrite(run);
        if (!RunsFreely)
        {
            run.WaitForEnd();
        }

        DuringRun?.Invoke(batch.Tensor.Count);
        return run.Widths.Any(FatalWidths.Contains)
            ? throw new ModelFailureException("fatal")
            : new FakeBatch(run.Widths, PoisonedWidths);
    }

    /// <summary>Forgets batches that were prepared and runs that began: those that warmed it up.</summary>
    public void Forget()
    {
        while (_prepared.Reader.TryRead(out _) || _runs.Reader.TryRead(out _))
        {
            // No test asks for them.
        }
    }

    /// <summary>Ends the runs that wait for their end, and lets later ones run freely.</summary>
    public void RunOut()
    {
        // In this order: a run that does not see the first line has put itself where the second finds it.
        RunsFreely = true;
        while (_runs.Reader.TryRead(out var run))
        {
            run.End();
        }
    }

    /// <summary>Number of images in the next batch that was prepared.</summary>
    public async Task<int> NextPreparedAsync() =>
        await _prepared.Reader.ReadAsync(TestContext.Current.CancellationToken)
            .AsTask().WaitAsync(TimeSpan.FromSeconds(60));

    /// <summary>The next run that began.</summary>
    public async Task<FakeRun> NextRunAsync() =>
        await _runs.Reader.ReadAsync(TestContext.Current.CancellationToken)
            .AsTask().WaitAsync(TimeSpan.FromSeconds(60));

    public void Dispose() => Disposals++;

    private sealed class FakeBatch(IReadOnlyList<int> widths, HashSet<int> poisoned) : InferredBatch
    {
        public override DetectedObject[] Select(int image) => poisoned.Contains(widths[image])
            ? throw new NonFiniteOutputException("class_logits", image, float.NaN)
            : [new DetectedObject(new Box(0, 0, 1, 1), widths[image], 0, "p2")];

        public override ClassifiedRegion?[] Classify(int image, RegionTask task) => [];

        public override void Dispose()
        {
        }
    }
}

/// <summary>A run of <see cref="FakeDetector"/> that has begun.</summary>
internal sealed class FakeRun(IReadOnlyList<int> widths, ImageSize size)
{
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Widths of its images.</summary>
    public IReadOnlyList<int> Widths { get; } = widths;

    /// <summary>Size of the batch tensor.</summary>
    public ImageSize Size { get; } = size;

    public void End() => _end.TrySetResult();

    public void Fail(Exception exception) => _end.TrySetException(exception);

    /// <summary>Blocks the device's thread, as a real run does.</summary>
    public void WaitForEnd() => _end.Task.WaitAsync(TimeSpan.FromSeconds(60)).GetAwaiter().GetResult();
}
