using System.Runtime.InteropServices;

namespace Fpn.Benchmarks.Gpu;

/// <summary>The few functions of CUDA's runtime library that copy memory.</summary>
/// <remarks>Not thread-safe: it uses the device of the thread that made it.</remarks>
internal sealed unsafe class CudaRuntime : IDisposable
{
    private const int HostToDevice = 1;
    private const int DeviceToHost = 2;

    private static readonly string[] Names = ["libcudart.so.13", "libcudart.so.12", "libcudart.so"];

    private readonly nint _library;
    private readonly delegate* unmanaged<nint*, nuint, int> _allocate;
    private readonly delegate* unmanaged<nint*, nuint, uint, int> _allocateHost;
    private readonly delegate* unmanaged<nint, nint, nuint, int, int> _copy;
    private readonly delegate* unmanaged<nint, int> _free;
    private readonly delegate* unmanaged<nint, int> _freeHost;
    private readonly delegate* unmanaged<int, byte*> _describe;

    /// <summary>Loads the library and takes its first device.</summary>
    /// <exception cref="NotMeasurableException">There is no library, or no device.</exception>
    public CudaRuntime()
    {
        foreach (var name in Names)
        {
            if (NativeLibrary.TryLoad(name, out _library))
            {
                break;
            }
        }

        if (_library == 0)
        {
            throw new NotMeasurableException(
                $"CUDA's runtime library was not found ({string.Join(", ", Names)}; LD_LIBRARY_PATH names its "
                + "folder).");
        }

        _allocate = (delegate* unmanaged<nint*, nuint, int>)Find("cudaMalloc");
        _allocateHost = (delegate* unmanaged<nint*, nuint, uint, int>)Find("cudaHostAlloc");
        _copy = (delegate* unmanaged<nint, nint, nuint, int, int>)Find("cudaMemcpy");
        _free = (delegate* unmanaged<nint, int>)Find("cudaFree");
        _freeHost = (delegate* unmanaged<nint, int>)Find("cudaFreeHost");
        _describe = (delegate* unmanaged<int, byte*>)Find("cudaGetErrorString");
        var status = ((delegate* unmanaged<int, int>)Find("cudaSetDevice"))(0);
        if (status != 0)
        {
            var reason = Describe(status);
            NativeLibrary.Free(_library);
            throw new NotMeasurableException($"CUDA has no device: {reason}.");
        }
    }

    /// <summary>Memory of the device; <see cref="Free"/> gives it back.</summary>
    public nint Allocate(long bytes)
    {
        nint memory;
        Check(_allocate(&memory, (nuint)bytes));
        return memory;
    }

    /// <summary>Memory of the host that is locked in place; <see cref="FreeHost"/> gives it back.</summary>
    public nint AllocateHost(long bytes)
    {
        nint memory;
        Check(_allocateHost(&memory, (nuint)bytes, 0));
        return memory;
    }

    /// <summary>Copies to the device and waits until that is done.</summary>
    public void Upload(nint device, nint host, long bytes) => Check(_copy(device, host, (nuint)bytes, HostToDevice));

    /// <summary>Copies from the device and waits until that is done.</summary>
    public void Download(nint host, nint device, long bytes) => Check(_copy(host, device, (nuint)bytes, DeviceToHost));

    /// <summary>Gives back memory of the device.</summary>
    public void Free(nint device) => Check(_free(device));

    /// <summary>Gives back locked memory of the host.</summary>
    public void FreeHost(nint host) => Check(_freeHost(host));

    /// <inheritdoc/>
    public void Dispose() => NativeLibrary.Free(_library);

    private nint Find(string function) => NativeLibrary.GetExport(_library, function);

    private void Check(int status)
    {
        if (status != 0)
        {
            throw new InvalidOperationException($"CUDA failed: {Describe(status)}.");
        }
    }

    private string Describe(int status) => Marshal.PtrToStringUTF8((nint)_describe(status)) ?? $"error {status}";
}
