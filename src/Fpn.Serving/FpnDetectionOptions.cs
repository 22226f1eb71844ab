using System.ComponentModel.DataAnnotations;
using Fpn.Imaging.Codecs;
using Fpn.Models;
using Fpn.Models.Loading;
using Fpn.Models.Options;
using Fpn.Serving.Sizing;

namespace Fpn.Serving;

/// <summary>Which models the queue serves, what they run on, and what a request may cost.</summary>
public sealed class FpnDetectionOptions
{
    /// <summary>
    /// Folder of the model packages, one folder a model; or one package, which holds <c>model.json</c> itself; or the
    /// version folders of one model. Relative to the host's content root. Default <c>models</c>. All models are
    /// served.
    /// </summary>
    [Required(ErrorMessage = "{0} must name a folder")]
    public string ModelsFolder { get; set; } = "models";

    /// <summary>
    /// Name of the model where <see cref="ModelsFolder"/> is one package, or versions of one. Default: the name in
    /// <c>model.json</c>.
    /// </summary>
    [MinLength(1, ErrorMessage = "{0} must name a model")]
    public string? ModelName { get; set; }

    /// <summary>The model that answers requests which name none. Default: the only one, else <c>everyday</c>.</summary>
    [MinLength(1, ErrorMessage = "{0} must name a model")]
    public string? DefaultModel { get; set; }

    /// <summary>
    /// How many versions of a model are loaded, where it is kept in version folders: the newest ones. Default 0: all of
    /// them, each of which takes memory; 0 to 1000. Requests are answered by the newest.
    /// </summary>
    [Range(0, 1000, ErrorMessage = "{0} must be from {1} to {2}")]
    public int ModelVersions { get; set; }

    /// <summary>
    /// Time between two looks for packages that are new or changed, which are then loaded. Default 0: none are looked
    /// for; 0, or 1 s to 24 h.
    /// </summary>
    [PollInterval]
    public TimeSpan ModelPoll { get; set; }

    /// <summary>Where the graphs run. Default <see cref="ExecutionProvider.Auto"/>: CUDA if it can be used, else the
    /// CPU; <see cref="ModelDescription.Device"/> says which and why.</summary>
    [EnumDataType(typeof(ExecutionProvider), ErrorMessage = "{0} must be Auto, Cpu or Cuda")]
    public ExecutionProvider Provider { get; set; } = ExecutionProvider.Auto;

    /// <summary>
    /// Threads of the one pool that all graphs share; as many images are decoded side by side. Default: the processors
    /// that this process may use, container limits included; 1 to 1024.
    /// </summary>
    [Range(1, 1024, ErrorMessage = "{0} must be from {1} to {2}")]
    public int Threads { get; set; } = Environment.ProcessorCount;

    /// <summary>How a GPU is used; without meaning on the CPU.</summary>
    [Required(ErrorMessage = "{0} must not be null")]
    public CudaOptions Cuda { get; set; } = new();

    /// <summary>How requests share the device.</summary>
    [Required(ErrorMessage = "{0} must not be null")]
    public BatchingOptions Batching { get; set; } = new();

    /// <summary>
    /// The codecs that read image files: the first that reads a file's format. Default: none listed, which stands for
    /// libvips (JPEG, PNG, WebP, GIF, TIFF, AVIF).
    /// </summary>
    [Required(ErrorMessage = "{0} must not be null")]
    public IReadOnlyList<IImageCodec> Codecs { get; set; } = [];

    /// <summary>
    /// Width × height of an image at most, read from the header before anything is decoded. Default 40 million; 1 to
    /// 2^33. More than 536,870,911 pixels are refused unless the image is a TIFF in tiles and read in slices.
    /// </summary>
    [Range(1L, 1L << 33, ErrorMessage = "{0} must be from {1} to {2} pixels")]
    public long MaxImagePixels { get; set; } = 40_000_000;

    /// <summary>
    /// Decoded pixels in memory, of all requests together, in bytes. Default 512 MiB; 1 MiB to 64 GiB. Requests beyond
    /// it wait before they are decoded; an image that is larger than this is decoded alone.
    /// </summary>
    [Range(1L << 20, 1L << 36, ErrorMessage = "{0} must be from {1} to {2} bytes")]
    public long MaxDecodedBytes { get; set; } = 512L << 20;

    /// <summary>Views of one image at most. Default 64; 1 to 4096.</summary>
    [Range(1, 4096, ErrorMessage = "{0} must be from {1} to {2} views")]
    public int MaxViews { get; set; } = 64;

    /// <summary>
    /// Width × height of a view at most that a request asks a scale for, after resizing and padding. Default 4 million;
    /// 4,096 to 536,870,911.
    /// </summary>
    [Range(4096L, 536_870_911L, ErrorMessage = "{0} must be from {1} to {2} pixels")]
    public long MaxViewPixels { get; set; } = 4_000_000;

    /// <summary>Refuses values that are out of range or contradict each other.</summary>
    /// <exception cref="InvalidOptionException">One is.</exception>
    internal void Check()
    {
        DetectorOptions.CheckRanges(this, string.Empty);
        DetectorOptions.CheckRanges(Cuda, $"{nameof(Cuda)}.");
        DetectorOptions.CheckRanges(Batching, $"{nameof(Batching)}.");
        Cuda.Check();
    }
}
