using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace Fpn.Models.Options;

/// <summary>How the graphs' memory on the GPU grows.</summary>
public enum ArenaStrategy
{
    /// <summary>By what is asked for: with fixed shapes nothing is left over.</summary>
    SameAsRequested,

    /// <summary>By powers of two: fewer, larger steps.</summary>
    NextPowerOfTwo,
}

/// <summary>How cuDNN's algorithm for a convolution is chosen when a shape is new.</summary>
/// <remarks>
/// With cuDNN 9, ONNX Runtime's provider asks cuDNN's rules in all three cases and runs nothing to compare; they are
/// the modes A, B and FALLBACK of cuDNN's front end.
/// </remarks>
public enum ConvAlgorithmSearch
{
    /// <summary>By cuDNN's fast rules.</summary>
    Heuristic,

    /// <summary>By cuDNN's slower rules (before cuDNN 9: by running all), which may find a faster one.</summary>
    Exhaustive,

    /// <summary>One that always works, and may be very slow.</summary>
    Default,
}

/// <summary>How the CUDA provider is used (<c>Fpn:Cuda</c>); without meaning on the CPU.</summary>
public sealed class CudaOptions
{
    /// <summary>Which GPU, counted from 0 as CUDA counts them. Default 0.</summary>
    [Range(0, 63, ErrorMessage = "{0} must be from {1} to {2}")]
    public int DeviceId { get; set; }

    /// <summary>
    /// Bytes of GPU memory that all graphs of all models together may hold for weights and intermediate results.
    /// Default 0: no limit.
    /// </summary>
    [Range(0, 1L << 40, ErrorMessage = "{0} must be from {1} (no limit) to {2} bytes")]
    public long MemoryLimit { get; set; }

    /// <summary>How that memory grows. Default <c>SameAsRequested</c>.</summary>
    public ArenaStrategy ArenaStrategy { get; set; } = ArenaStrategy.SameAsRequested;

    /// <summary>How the algorithms of convolutions are chosen. Default <c>heuristic</c>.</summary>
    public ConvAlgorithmSearch ConvAlgorithmSearch { get; set; } = ConvAlgorithmSearch.Heuristic;

    /// <summary>
    /// Whether float32 products may be computed in TF32 (10 bits instead of 23) on tensor cores. Default true, as in
    /// PyTorch's convolutions. Without meaning for graphs that compute in float16.
    /// </summary>
    public bool Tf32 { get; set; } = true;

    /// <summary>
    /// Whether convolutions run with their channels last, as tensor cores like them. Default true.
    /// </summary>
    public bool PreferNhwc { get; set; } = true;

    /// <summary>
    /// Whether a convolution, its bias and its activation are one operation of cuDNN. Default false: faster, but
    /// for float16 cuDNN compiles for seconds a shape at every start. Needs <see cref="PreferNhwc"/>.
    /// </summary>
    public bool FuseConvBias { get; set; }

    /// <summary>
    /// Whether each fixed shape of a backbone has a session of its own: a session keeps cuDNN's plans for the shape
    /// that it ran last only, and making them anew costs more than the batch. Takes the weights' memory once a shape.
    /// Default true.
    /// </summary>
    public bool SessionPerShape { get; set; } = true;

    /// <summary>
    /// Batches on the GPU at the same time: while one computes, the other's images go up and its results come down.
    /// Default 2; 1 to 4.
    /// </summary>
    [Range(1, 4, ErrorMessage = "{0} must be from {1} to {2}")]
    public int Streams { get; set; } = 2;

    /// <summary>Refuses settings that contradict each other.</summary>
    /// <exception cref="InvalidOptionException">They do.</exception>
    internal void Check()
    {
        if (FuseConvBias && !PreferNhwc)
        {
            throw new InvalidOptionException(
                "Setting 'Fpn:Cuda:FuseConvBias' is 'true', which needs 'Fpn:Cuda:PreferNhwc' to be 'true' as well: "
                + "with channels first ONNX Runtime clears the bias on another stream than the one that reads it.");
        }
    }

    /// <summary>A copy, which later changes of this object leave as it is.</summary>
    internal CudaOptions Copy() => (CudaOptions)MemberwiseClone();

    /// <summary>Translates the options into the names that ONNX Runtime uses.</summary>
    /// <param name="inHalf">Whether the graph computes in float16: without <c>use_tf32</c> ONNX Runtime would keep it
    /// from tensor cores, too.</param>
    /// <remarks>Source: ONNX Runtime's documentation of the CUDA execution provider.</remarks>
    internal IReadOnlyDictionary<string, string> ToProviderOptions(bool inHalf) => new Dictionary<string, string>
    {
        ["device_id"] = DeviceId.ToString(CultureInfo.InvariantCulture),
        ["cudnn_conv_algo_search"] = ConvAlgorithmSearch.ToString().ToUpperInvariant(),
        ["use_tf32"] = Tf32 || inHalf ? "1" : "0",
        ["prefer_nhwc"] = PreferNhwc ? "1" : "0",
        ["fuse_conv_bias"] = FuseConvBias ? "1" : "0",
    };
}
