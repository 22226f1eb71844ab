using System.ComponentModel.DataAnnotations;
using Fpn.Imaging.Codecs;
using Fpn.Models.Options;

namespace Fpn.Models;

/// <summary>How a <see cref="Detector"/> runs, and what it accepts.</summary>
public sealed class DetectorOptions
{
    /// <summary>Where the graphs run. Default <see cref="ExecutionProvider.Auto"/>: CUDA if it can be used, else the
    /// CPU; <see cref="DeviceInfo.Reason"/> says which and why.</summary>
    [EnumDataType(typeof(ExecutionProvider), ErrorMessage = "{0} must be Auto, Cpu or Cuda")]
    public ExecutionProvider Provider { get; init; } = ExecutionProvider.Auto;

    /// <summary>
    /// Threads of ONNX Runtime's pool, which all detectors of the process share: the first detector decides. As many
    /// images are decoded side by side. Default: the processors that this process may use, container limits included;
    /// 1 to 1024.
    /// </summary>
    [Range(1, 1024, ErrorMessage = "{0} must be from {1} to {2}")]
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>How a GPU is used; without meaning on the CPU. Copied when the detector is loaded.</summary>
    [Required(ErrorMessage = "{0} must not be null")]
    public CudaOptions Cuda { get; init; } = new();

    /// <summary>
    /// What reads image files: the first codec that reads a file's format. Default: none listed, which stands for
    /// libvips (JPEG, PNG, WebP, GIF, TIFF, AVIF).
    /// </summary>
    [Required(ErrorMessage = "{0} must not be null")]
    public IReadOnlyList<IImageCodec> Codecs { get; init; } = [];

    /// <summary>
    /// Width × height of an image at most, read from the header before anything is decoded. Default 40 million; 1 to
    /// 536,870,911.
    /// </summary>
    [Range(1L, 536_870_911L, ErrorMessage = "{0} must be from {1} to {2} pixels")]
    public long MaxImagePixels { get; init; } = 40_000_000;

    /// <summary>Size of an encoded image at most; a stream is read no further. Default 20 MiB; 1 byte to 1
    /// GiB.</summary>
    [Range(1L, 1L << 30, ErrorMessage = "{0} must be from {1} to {2} bytes")]
    public long MaxImageBytes { get; init; } = 20L << 20;

    /// <summary>Refuses values that are out of range or contradict each other.</summary>
    /// <exception cref="InvalidOptionException">One is.</exception>
    internal void Check()
    {
        CheckRanges(this, string.Empty);
        CheckRanges(Cuda, $"{nameof(Cuda)}.");
        Cuda.Check();
    }

    /// <summary>Refuses values that are out of range.</summary>
    /// <param name="options">Options with validation attributes.</param>
    /// <param name="prefix">Stands before a property's name in the message.</param>
    /// <exception cref="InvalidOptionException">One is.</exception>
    internal static void CheckRanges(object options, string prefix)
    {
        var wrong = new List<ValidationResult>();
        foreach (var property in options.GetType().GetProperties())
        {
            var context = new ValidationContext(options)
            {
                MemberName = property.Name,
                DisplayName = $"Option '{prefix}{property.Name}'",
            };
            if (!Validator.TryValidateProperty(property.GetValue(options), context, wrong))
            {
                throw new InvalidOptionException($"{wrong[0].ErrorMessage}.");
            }
        }
    }
}
