using Microsoft.ML.OnnxRuntime;

namespace Fpn.Service.Model.Execution;

/// <summary>What came of looking for CUDA.</summary>
/// <param name="Devices">The GPUs that the provider can use, in CUDA's order; empty when there is a failure.</param>
/// <param name="Failure">Why CUDA cannot be used, and what would help; null when it can.</param>
internal sealed record CudaProbe(IReadOnlyList<OrtEpDevice> Devices, string? Failure);

/// <summary>The CUDA provider: a library of its own, which ONNX Runtime loads as a plug-in.</summary>
internal static class CudaLibrary
{
    private const string FileName = "libonnxruntime_providers_cuda.so";
    private const string RegistrationName = "CUDA";

    private static readonly Lock Gate = new();
    private static string? _registered;

    /// <summary>Loads the library into ONNX Runtime, once a process, and lists its GPUs.</summary>
    /// <param name="configured">The library; null looks beside the service and where NuGet puts native
    /// libraries.</param>
    public static CudaProbe Probe(string? configured)
    {
        if (Find(configured) is not { } path)
        {
            return Failed(configured is null
                ? $"{FileName} is not beside the service; FPN_GPU=1 ./run.sh fetches it, and the GPU image has it"
                : $"'{configured}' of setting 'Fpn:Cuda:Library' does not exist");
        }

        try
        {
            Register(path);
            var devices = OrtEnv.Instance().GetEpDevices()
                .Where(device => device.EpName.StartsWith("CUDA", StringComparison.OrdinalIgnoreCase))
                .ToList();
            return devices.Count > 0
                ? new CudaProbe(devices, null)
                : Failed(
                    "the CUDA provider is loaded, but found no NVIDIA GPU; nvidia-smi shows what the driver sees, and "
                    + "/sys/class/drm or /sys/bus/pci/devices must list it");
        }
        catch (OnnxRuntimeException exception)
        {
            return Failed(
                $"the CUDA provider cannot be loaded, which needs CUDA 13 and cuDNN 9 on the library path: {exception.Message.ReplaceLineEndings(" ")}");
        }

        static CudaProbe Failed(string reason) => new([], reason);
    }

    private static void Register(string path)
    {
        lock (Gate)
        {
            if (_registered != path)
            {
                OrtEnv.Instance().RegisterExecutionProviderLibrary(RegistrationName, path);
                _registered = path;
            }
        }
    }

    private static string? Find(string? configured)
    {
        if (configured is not null)
        {
            return File.Exists(configured) ? Path.GetFullPath(configured) : null;
        }

        // The host lists here where packages put their native libraries.
        var folders = (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? string.Empty)
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Prepend(AppContext.BaseDirectory);
        return folders.Select(folder => Path.Combine(folder, FileName)).FirstOrDefault(File.Exists);
    }
}
