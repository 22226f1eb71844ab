using System.Runtime.InteropServices;
using System.Text;

namespace Fpn.Models.Execution.Devices;

/// <summary>A GPU, as the driver describes it.</summary>
/// <param name="Name">As its maker calls it: <c>NVIDIA H100 80GB HBM3</c>.</param>
/// <param name="Memory">Bytes.</param>
internal readonly record struct Gpu(string Name, long Memory);

/// <summary>What came of asking the driver.</summary>
/// <param name="Gpus">In CUDA's order; empty when there is a failure.</param>
/// <param name="Failure">Why no GPU was found, for people; null when there are some.</param>
internal sealed record GpuList(IReadOnlyList<Gpu> Gpus, string? Failure);

/// <summary>The NVIDIA driver's own small API, which knows the GPUs before any library of CUDA is loaded.</summary>
/// <remarks>Source: the CUDA driver API, sections initialization, version and device management.</remarks>
internal static unsafe class CudaDriver
{
    private const int NameLength = 256;
    private const int NoDevice = 100;

    /// <summary>The driver's library.</summary>
    public static string Library => OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";

    /// <summary>Lists the GPUs that this process may use.</summary>
    public static GpuList List() => List(Library);

    /// <inheritdoc cref="List()"/>
    /// <param name="library">The driver's library, or one that stands for it.</param>
    internal static GpuList List(string library)
    {
        if (!NativeLibrary.TryLoad(library, out var driver))
        {
            return Failed($"there is no NVIDIA driver: {library} cannot be loaded");
        }

        // Never unloaded: CUDA is about to use it, too.
        try
        {
            return Read(driver);
        }
        catch (EntryPointNotFoundException exception)
        {
            return Failed($"{library} is not an NVIDIA driver's: {exception.Message}");
        }
    }

    private static GpuList Read(nint driver)
    {
        var initialize = (delegate* unmanaged<uint, int>)NativeLibrary.GetExport(driver, "cuInit");
        var getCount = (delegate* unmanaged<int*, int>)NativeLibrary.GetExport(driver, "cuDeviceGetCount");
        var getDevice = (delegate* unmanaged<int*, int, int>)NativeLibrary.GetExport(driver, "cuDeviceGet");
        var getName = (delegate* unmanaged<byte*, int, int, int>)NativeLibrary.GetExport(driver, "cuDeviceGetName");
        var getMemory = (delegate* unmanaged<nuint*, int, int>)NativeLibrary.GetExport(driver, "cuDeviceTotalMem_v2");

        var count = 0;
        var status = initialize(0);
        status = status == 0 ? getCount(&count) : status;
        if (status == NoDevice || (status == 0 && count == 0))
        {
            return Failed(
                "the NVIDIA driver lists no GPU; nvidia-smi shows what it sees, and CUDA_VISIBLE_DEVICES hides");
        }

        if (status != 0)
        {
            return Failed($"the NVIDIA driver answers with error {status}");
        }

        var gpus = new List<Gpu>(count);
        var name = stackalloc byte[NameLength];
        for (var ordinal = 0; ordinal < count; ordinal++)
        {
            int device;
            nuint memory = 0;
            name[0] = 0;
            if (getDevice(&device, ordinal) != 0
                || getName(name, NameLength, device) != 0
                || getMemory(&memory, device) != 0)
            {
                return Failed($"the NVIDIA driver does not describe GPU {ordinal}");
            }

            var text = Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name));
            gpus.Add(new Gpu(text, (long)memory));
        }

        return new GpuList(gpus, null);
    }

    private static GpuList Failed(string reason) => new([], reason);
}
