using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace Fpn.Service.Model.Execution;

/// <summary>How a graph's memory on the GPU grows.</summary>
internal enum ArenaStrategy
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
internal enum ConvAlgorithmSearch
{
    /// <summary>By cuDNN's fast rules.</summary>
    Heuristic,

    /// <summary>By cuDNN's slower rules (before cuDNN 9: by running all), which may find a faster one.</summary>
    Exhaustive,

    /// <summary>One that always works, and may be very slow.</summary>
    Default,
}

/// <summary>How the CUDA provider is used (<c>Fpn:Cuda</c>); without meaning on the CPU.</summary>
internal sealed class CudaOptions
{
    /// <summary>
    /// The provider's library. Default: <c>libonnxruntime_providers_cuda.so</c> beside the service, or where its NuGet
    /// package puts it.
    /// </summary>
    public string? Library { get; set; }

    /// <summary>Which GPU, counted from 0 as CUDA counts them. Default 0.</summary>
    [Range(0, 63, ErrorMessage = "{0} must be from {1} to {2}")]
    public int DeviceId { get; set; }

    /// <summary>
    /// Bytes of GPU memory that a graph may hold for weights and intermediate results; each graph of each model has
    /// such a share. Default 0: no limit.
    /// </summary>
    [Range(0, 1L << 40, ErrorMessage = "{0} must be from {1} (no limit) to {2} bytes")]
    public long MemoryLimit { get; set; }

    /// <summary>How a graph's memory grows. Default <c>SameAsRequested</c>.</summary>
    public ArenaStrategy ArenaStrategy { get; set; } = ArenaStrategy.SameAsRequested;

    /// <summary>How the algorithms of convolutions are chosen. Default <c>heuristic</c>.</summary>
    public ConvAlgorithmSearch ConvAlgorithmSearch { get; set; } = ConvAlgorithmSearch.Heuristic;

    /// <summary>
    /// Whether float32 products may be computed in TF32 (10 bits instead of 23) on tensor cores. Default true, as in
    /// PyTorch's convolutions.
    /// </summary>
    public bool Tf32 { get; set; } = true;

    /// <summary>
    /// Batches on the GPU at the same time: while one computes, the other's images go up and its results come down.
    /// Default 2; 1 to 4.
    /// </summary>
    [Range(1, 4, ErrorMessage = "{0} must be from {1} to {2}")]
    public int Streams { get; set; } = 2;

    /// <summary>The same in ONNX Runtime's words.</summary>
    /// <remarks>Source: ONNX Runtime's documentation of the CUDA execution provider.</remarks>
    public IReadOnlyDictionary<string, string> ToProviderOptions()
    {
        var options = new Dictionary<string, string>
        {
            ["device_id"] = DeviceId.ToString(CultureInfo.InvariantCulture),
            ["arena_extend_strategy"] =
                ArenaStrategy == ArenaStrategy.SameAsRequested ? "kSameAsRequested" : "kNextPowerOfTwo",
            ["cudnn_conv_algo_search"] = ConvAlgorithmSearch.ToString().ToUpperInvariant(),
            ["use_tf32"] = Tf32 ? "1" : "0",
        };
        if (MemoryLimit > 0)
        {
            options["gpu_mem_limit"] = MemoryLimit.ToString(CultureInfo.InvariantCulture);
        }

        return options;
    }
}
