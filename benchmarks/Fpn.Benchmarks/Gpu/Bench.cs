using System.Diagnostics;
using Fpn.Detection.Imaging;
using Fpn.Service.Imaging;
using Fpn.Service.Model;
using Fpn.Service.Model.Execution;

namespace Fpn.Benchmarks.Gpu;

/// <summary>What all sections share: models, pictures, and how much time there is.</summary>
internal sealed class Bench
{
    private static readonly int[] AllBatches = [1, 2, 4, 8, 16, 32];

    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly DrawnPictures _drawn = new();
    private readonly Dictionary<(ExecutionProvider Provider, bool Tf32), ExecutionDevice> _devices = [];

    /// <summary>Reads the packages' manifests.</summary>
    /// <exception cref="ArgumentException">There is no package.</exception>
    public Bench(GpuOptions options)
    {
        Options = options;
        Threads = Environment.ProcessorCount;
        Variants = Variant.Find(options.Models, OnGpu);
        if (options.Quick)
        {
            // The small model shows that the code works.
            Variants = [.. Variants.Where(variant => variant.Model == Variants[0].Model)];
        }
    }

    /// <summary>The command line.</summary>
    public GpuOptions Options { get; }

    /// <summary>All models in all their arithmetics, smaller models first.</summary>
    public IReadOnlyList<Variant> Variants { get; }

    /// <summary>
    /// Those whose speed is measured, larger models first: what the targets are about comes first where time is short.
    /// One in a trial: float16 is slow on a CPU.
    /// </summary>
    public IEnumerable<Variant> LargestFirst => Variants
        .OrderByDescending(variant => variant.Contract.Input.MinSize)
        .Take(Options.Quick ? 1 : int.MaxValue);

    /// <summary>Threads of the runtime and of decoding.</summary>
    public int Threads { get; }

    /// <summary>Whether the GPU is measured.</summary>
    public bool OnGpu => Options.Provider == ExecutionProvider.Cuda;

    /// <summary>Batch sizes to measure.</summary>
    public IReadOnlyList<int> Batches => Options.Quick ? AllBatches[..2] : AllBatches;

    /// <summary>Time for one measured point.</summary>
    public TimeSpan PointTime => TimeSpan.FromSeconds(Options.Quick ? 0.1 : 2);

    /// <summary>Decodes like the service.</summary>
    public ImageDecoder Decoder { get; } = new(40_000_000, new VipsCodec());

    /// <summary>Whether no further measurement should begin.</summary>
    public bool TimeIsUp => Stopwatch.GetElapsedTime(_started) > Options.Limit;

    /// <summary>Time until then, at least 1 s.</summary>
    public TimeSpan TimeLeft
    {
        get
        {
            var left = Options.Limit - Stopwatch.GetElapsedTime(_started);
            return left > TimeSpan.FromSeconds(1) ? left : TimeSpan.FromSeconds(1);
        }
    }

    /// <summary>
    /// Between two measurements: keeps what there is, for whoever ends this process, and marks a section as cut short
    /// once time is up.
    /// </summary>
    /// <returns>Whether it is.</returns>
    public bool Stop(SectionResult result)
    {
        ResultFolder.Write(Options.Output, result);
        if (TimeIsUp)
        {
            result.State = SectionState.TimeUp;
        }

        return TimeIsUp;
    }

    /// <summary>What a variant runs on.</summary>
    /// <exception cref="Service.Configuration.SettingsException">CUDA cannot be used; the message says why.</exception>
    public ExecutionDevice DeviceOf(Variant variant) => DeviceOf(Options.Provider, variant.Tf32);

    /// <summary>Loads a variant onto what is measured, any shapes; the caller disposes it.</summary>
    public TwoStageDetector Open(Variant variant) => new(variant.Contract, DeviceOf(variant));

    /// <summary>As <see cref="Open"/>, with the shapes fixed and tried as the service does it on a GPU.</summary>
    /// <param name="variant">Which.</param>
    /// <param name="largestBatch">Images of a batch at most; all in <see cref="PictureSize"/>.</param>
    public TwoStageDetector OpenWarm(Variant variant, int largestBatch)
    {
        var detector = Open(variant);
        if (OnGpu)
        {
            try
            {
                var rois = variant.Contract.Proposals.PostNmsTopN;
                detector.WarmUp(new FixedShapes([PaddedSize(variant)], largestBatch, rois), _ => { });
            }
            catch
            {
                detector.Dispose();
                throw;
            }
        }

        return detector;
    }

    /// <summary>Loads a variant's package onto the CPU; the caller disposes it.</summary>
    public TwoStageDetector OpenReference(Variant variant) =>
        new(variant.Contract, DeviceOf(ExecutionProvider.Cpu, tf32: false));

    /// <summary>Settings of a service that runs a variant as <see cref="Open"/> does.</summary>
    public (string Name, string Value)[] ServiceSettings(Variant variant) =>
    [
        ("Execution:Provider", OnGpu ? "cuda" : "cpu"),
        ("Execution:Threads", $"{Threads}"),
        ("Cuda:Tf32", variant.Tf32 ? "true" : "false"),
        ("Models:Default", variant.Contract.Name),
    ];

    /// <summary>
    /// The picture that a model is measured with: 640×480, or for models of the paper's input size the one of 640
    /// pixels' width that is padded to 800×1344, the most that a picture of any shape needs.
    /// </summary>
    public ImageSize PictureSize(Variant variant) => new(variant.Contract.Input.MinSize >= 800 ? 385 : 480, 640);

    /// <summary>Size of the tensor that such a picture becomes.</summary>
    public ImageSize PaddedSize(Variant variant)
    {
        ResizeTransform transform = new(variant.Contract.Input);
        return transform.PaddedSize(transform.ResizedSize(PictureSize(variant)));
    }

    /// <summary>Encoded pictures of one size.</summary>
    public byte[][] Draw(ImageSize size, int count) =>
        [.. Enumerable.Range(0, count).Select(seed => _drawn.Draw(size, seed))];

    /// <summary>Encoded pictures of many sizes.</summary>
    public byte[][] DrawMixed(int count) => _drawn.DrawMixed(count, 200, Options.Quick ? 700 : 1600);

    /// <summary>Decodes a picture of the benchmark's own; the caller disposes it.</summary>
    public DecodedImage Decode(byte[] encoded) =>
        Decoder.Decode(encoded).Image ?? throw new InvalidDataException("A picture cannot be decoded.");

    /// <summary>A batch of drawn pictures, all of the model's own size; the caller disposes it.</summary>
    public PreparedBatch Prepare(TwoStageDetector detector, Variant variant, int batch)
    {
        // Eight different ones, over and over: the network's work does not depend on what they show.
        var decoded = Draw(PictureSize(variant), Math.Min(batch, 8)).Select(Decode).ToArray();
        try
        {
            var images = Enumerable.Range(0, batch).Select(i => decoded[i % decoded.Length]).ToArray();
            return detector.Prepare(detector.Measure(images[0].Size).Padded, images);
        }
        finally
        {
            Array.ForEach(decoded, image => image.Dispose());
        }
    }

    /// <summary>Fails where a package that pins its proposals gave another number: times would not compare.</summary>
    /// <exception cref="InvalidOperationException">An image has more or fewer.</exception>
    public static void RequirePinnedRois(Variant variant, InferredBatch inferred, int images)
    {
        for (var image = 0; variant.PinnedRois is { } expected && image < images; image++)
        {
            var found = ((TwoStageBatch)inferred).Proposals(image).Count;
            if (found != expected)
            {
                throw new InvalidOperationException(
                    $"{variant.Key}: image {image} has {found} proposals where {expected} are pinned.");
            }
        }
    }

    private ExecutionDevice DeviceOf(ExecutionProvider provider, bool tf32)
    {
        if (!_devices.TryGetValue((provider, tf32), out var device))
        {
            device = ExecutionDevice.Open(
                new ExecutionOptions { Provider = provider, Threads = Threads }, new CudaOptions { Tf32 = tf32 });
            _devices.Add((provider, tf32), device);
        }

        return device;
    }
}
