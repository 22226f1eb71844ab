using System.Diagnostics;
using Fpn.Detection.Geometry;
using Fpn.Detection.Preprocessing;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Pixels;
using Fpn.Imaging.Vips;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Options;
using Fpn.Models.TwoStage;

namespace Fpn.Benchmarks.Gpu;

/// <summary>What all sections share: models, pictures, and how much time there is.</summary>
internal sealed class Bench
{
    private static readonly int[] UsualBatches = [1, 8, 16];

    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly DrawnPictures _drawn = new();
    private readonly Dictionary<(bool Tf32, Layout Layout), ExecutionDevice> _devices = [];
    private ExecutionDevice? _cpu;

    /// <summary>Reads the packages' manifests.</summary>
    /// <exception cref="ArgumentException">
    /// There is no package, or none of the models or variants that are asked for.
    /// </exception>
    public Bench(GpuOptions options)
    {
        Options = options;
        Threads = Environment.ProcessorCount;
        var all = Variant.Find(options.Packages, OnGpu);
        RequireKnown("model", options.Models, all.Select(variant => variant.Model));
        RequireKnown("variant", options.Variants, all.Select(variant => variant.Name));
        Variants =
        [
            .. all.Where(variant => options.Models.Count == 0 || options.Models.Contains(variant.Model))
                .Where(variant => options.Variants.Count == 0 || options.Variants.Contains(variant.Name)),
        ];
        if (options.Quick)
        {
            // The small model shows that the code works.
            Variants = [.. Variants.Where(variant => variant.Model == Variants[0].Model)];
        }
    }

    /// <summary>The command line.</summary>
    public GpuOptions Options { get; }

    /// <summary>All models in all their variants that are asked for, smaller models first.</summary>
    public IReadOnlyList<Variant> Variants { get; }

    /// <summary>
    /// Those whose speed is measured, in the order of what matters most: of the models that are asked for, or else of
    /// the largest, which the targets are about. One in a trial: float16 is slow on a CPU.
    /// </summary>
    public IEnumerable<Variant> Timed => Variants
        .Where(variant => Options.Models.Count > 0 || variant.Model == Variants[^1].Model)
        .Take(Options.Quick ? 1 : int.MaxValue);

    /// <summary>Threads of the runtime and of decoding.</summary>
    public int Threads { get; }

    /// <summary>Whether the GPU is measured.</summary>
    public bool OnGpu => Options.Provider == ExecutionProvider.Cuda;

    /// <summary>Batch sizes to measure, rising.</summary>
    public IReadOnlyList<int> Batches => Options.Batches.Count > 0 ? Options.Batches
        : Options.Quick ? [1, 2]
        : UsualBatches;

    /// <summary>Time for one measured point.</summary>
    public TimeSpan PointTime => TimeSpan.FromSeconds(Options.Quick ? 0.1 : 1);

    /// <summary>Decodes like the service.</summary>
    public ImageDecoder Decoder { get; } = new(40_000_000, new VipsCodec());

    /// <summary>Whether no further measurement should begin.</summary>
    public bool TimeIsUp => Stopwatch.GetElapsedTime(_started) > Options.Limit;

    /// <summary>
    /// One variant for each arithmetic of each model that is timed, float16 first: the layout in which the section
    /// <c>throughput</c> found it best, or where that was not measured the first of its variants. Float32 without TF32
    /// is among them on a GPU only where it is asked for.
    /// </summary>
    /// <param name="figure">What is compared, the higher the better: its name by variant.</param>
    public IReadOnlyList<Variant> BestLayouts(Func<Variant, string> figure)
    {
        var measured = ResultFolder.Figures(Options.Output);
        return
        [
            .. Timed.Where(variant => !OnGpu || variant.Precision != "fp32" || Options.Variants.Count > 0)
                .GroupBy(variant => variant.ArithmeticKey)
                .Select(same => same.MaxBy(variant => measured.GetValueOrDefault(figure(variant)))!),
        ];
    }

    /// <summary>
    /// Between two measurements: saves the results so far, in case the process is ended, and marks a section as cut
    /// short once time is up.
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
    /// <exception cref="InvalidOptionException">CUDA cannot be used; the message says why.</exception>
    public ExecutionDevice DeviceOf(Variant variant)
    {
        if (!OnGpu)
        {
            return Cpu();
        }

        if (!_devices.TryGetValue((variant.Tf32, variant.Layout), out var device))
        {
            CudaOptions options = new()
            {
                Tf32 = variant.Tf32,
                PreferNhwc = variant.PrefersNhwc,
                FuseConvBias = variant.FusesConvBias,
            };
            device = ExecutionDevice.Open(
                new ExecutionOptions { Provider = Options.Provider, Threads = Threads }, options);
            _devices.Add((variant.Tf32, variant.Layout), device);
        }

        return device;
    }

    /// <summary>Loads a variant onto what is measured, any shapes; the caller disposes it.</summary>
    public LoadedVariant Open(Variant variant) => LoadedVariant.Load(variant, DeviceOf(variant));

    /// <summary>As <see cref="Open"/>, with the shapes fixed and tried as the service does it on a GPU.</summary>
    /// <param name="variant">Which.</param>
    /// <param name="batches">Images of a batch; all in <see cref="PictureSize"/>.</param>
    public LoadedVariant OpenWarm(Variant variant, IReadOnlyList<int> batches)
    {
        var loaded = Open(variant);
        if (OnGpu)
        {
            loaded.WarmUp([PaddedSize(variant)], batches);
        }

        return loaded;
    }

    /// <summary>Loads a variant's package onto the CPU; the caller disposes it.</summary>
    public TwoStageDetector OpenReference(Variant variant) => new(variant.Contract, Cpu());

    /// <summary>Settings of a service that runs a variant as <see cref="Open"/> does.</summary>
    public (string Name, string Value)[] ServiceSettings(Variant variant) =>
    [
        ("Execution:Provider", OnGpu ? "cuda" : "cpu"),
        ("Execution:Threads", $"{Threads}"),
        ("Cuda:Tf32", variant.Tf32 ? "true" : "false"),
        ("Cuda:PreferNhwc", variant.PrefersNhwc ? "true" : "false"),
        ("Cuda:FuseConvBias", variant.FusesConvBias ? "true" : "false"),
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

    /// <summary>A batch of drawn pictures, all of one size; the caller disposes it.</summary>
    /// <param name="loaded">Whose input it is.</param>
    /// <param name="batch">Images in it.</param>
    /// <param name="size">Their size; null for <see cref="PictureSize"/>.</param>
    public PreparedBatch Prepare(LoadedVariant loaded, int batch, ImageSize? size = null)
    {
        // Eight different ones, over and over: the network's work does not depend on what they show.
        var decoded = Draw(size ?? PictureSize(loaded.Variant), Math.Min(batch, 8)).Select(Decode).ToArray();
        try
        {
            var images = Enumerable.Range(0, batch)
                .Select(i => new MeasuredImage(decoded[i % decoded.Length], loaded.Detector)).ToArray();
            return loaded.Detector.Prepare(images[0].Geometry.Padded, images);
        }
        finally
        {
            Array.ForEach(decoded, image => image.Dispose());
        }
    }

    /// <summary>Notes where a package that pins its proposals gave another number: times compare less well.</summary>
    public static void CheckPinnedRois(Variant variant, InferredBatch inferred, int images, SectionResult result)
    {
        if (variant.PinnedRois is not { } expected)
        {
            return;
        }

        var found = Enumerable.Range(0, images).Select(image => ((TwoStageBatch)inferred).Proposals(image).Count);
        var note = $"{variant.Key}: images have {found.Min()} to {found.Max()} proposals where {expected} are pinned.";
        if (found.Any(count => count != expected) && !result.Notes.Contains(note))
        {
            result.Notes.Add(note);
        }
    }

    private static void RequireKnown(string what, IReadOnlyList<string> wanted, IEnumerable<string> known)
    {
        var names = known.Distinct().ToArray();
        if (wanted.Except(names).FirstOrDefault() is { } unknown)
        {
            throw new ArgumentException($"There is no {what} '{unknown}'; there are {string.Join(", ", names)}.");
        }
    }

    private ExecutionDevice Cpu() => _cpu ??= ExecutionDevice.Open(
        new ExecutionOptions { Provider = ExecutionProvider.Cpu, Threads = Threads }, new CudaOptions());
}
