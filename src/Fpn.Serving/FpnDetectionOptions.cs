using System.ComponentModel.DataAnnotations;
using Fpn.Imaging.Codecs;
using Fpn.Models;
using Fpn.Models.Options;
using Fpn.Serving.Sizing;

namespace Fpn.Serving;

/// <summary>Which models the queue serves, what they run on, and what a request may cost.</summary>
public sealed class FpnDetectionOptions
{
    /// <summary>
    /// Folder of the model packages, one folder a model, or one package, which holds <c>model.json</c> itself; relative
    /// to the host's content root. Default <c>models</c>. All of them are served.
    /// </summary>
    [Required(ErrorMessage = "{0} must name a folder")]
    public string ModelsFolder { get; set; } = "models";

    /// <summary>
    /// Name of the model where <see cref="ModelsFolder"/> is one package. Default: the name in its <c>model.json</c>.
    /// </summary>
    [MinLength(1, ErrorMessage = "{0} must name a model")]
    public string? ModelName { get; set; }

    /// <summary>The model that answers requests which name none. Default: the only one, else <c>everyday</c>.</summary>
    [MinLength(1, ErrorMessage = "{0} must name a model")]
    public string? DefaultModel { get; set; }

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
