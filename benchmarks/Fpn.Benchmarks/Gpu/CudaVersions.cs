using System.Runtime.InteropServices;

namespace Fpn.Benchmarks.Gpu;

/// <summary>Versions of CUDA's libraries, as these tell them.</summary>
internal static unsafe class CudaVersions
{
    /// <summary>Of CUDA's runtime, such as <c>13.0</c>; null where it is not found.</summary>
    public static string? Runtime()
    {
        if (Find("libcudart.so.13", "cudaRuntimeGetVersion") is not (var function and not 0))
        {
            return null;
        }

        int version;
        return ((delegate* unmanaged<int*, int>)function)(&version) == 0
            ? $"{version / 1000}.{version % 1000 / 10}"
            : null;
    }

    /// <summary>Of cuDNN, such as <c>9.13.0</c>; null where it is not found.</summary>
    public static string? Cudnn()
    {
        if (Find("libcudnn.so.9", "cudnnGetVersion") is not (var function and not 0))
        {
            return null;
        }

        var version = ((delegate* unmanaged<nuint>)function)();
        return $"{version / 10_000}.{version % 10_000 / 100}.{version % 100}";
    }

    /// <returns>The function's address; 0 where there is none. The library stays loaded.</returns>
    private static nint Find(string library, string function) =>
        NativeLibrary.TryLoad(library, out var handle) && NativeLibrary.TryGetExport(handle, function, out var address)
            ? address
            : 0;
}
