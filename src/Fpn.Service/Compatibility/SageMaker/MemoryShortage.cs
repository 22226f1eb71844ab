namespace Fpn.Service.Compatibility.SageMaker;

/// <summary>Tells a lack of memory from other reasons why a model was not loaded.</summary>
internal static class MemoryShortage
{
    /// <summary>
    /// What .NET, ONNX Runtime's allocators, the C++ library and CUDA say; only their texts are common to them.
    /// </summary>
    private static readonly string[] Texts =
    [
        "OutOfMemory", "Insufficient memory", "bad_alloc", "bad allocation", "Failed to allocate memory",
        "smaller than requested bytes", "out of memory",
    ];

    /// <summary>Whether a failure is a lack of memory.</summary>
    /// <param name="reason">Why a model was not loaded.</param>
    public static bool IsReason(string reason) =>
        Array.Exists(Texts, text => reason.Contains(text, StringComparison.OrdinalIgnoreCase));
}
