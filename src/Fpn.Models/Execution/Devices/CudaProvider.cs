using Fpn.Models.Options;
using Microsoft.ML.OnnxRuntime;
using OrtSessionOptions = Microsoft.ML.OnnxRuntime.SessionOptions;

namespace Fpn.Models.Execution.Devices;

/// <summary>ONNX Runtime's CUDA provider: whether it is there, and how a session gets it.</summary>
internal static class CudaProvider
{
    private const string FileName = "libonnxruntime_providers_cuda.so";

    /// <summary>Looks for the provider and for GPUs, without loading CUDA.</summary>
    public static GpuList Probe() => IsPresent()
        ? CudaDriver.List()
        : new GpuList([], $"this build has no CUDA provider ({FileName} is not beside ONNX Runtime)");

    /// <summary>Adds the provider to a session's options; loads CUDA's libraries the first time.</summary>
    /// <param name="options">The session's.</param>
    /// <param name="settings"><see cref="CudaOptions.ToProviderOptions"/>.</param>
    /// <exception cref="OnnxRuntimeException">A library is missing, which the message names.</exception>
    public static void AddTo(OrtSessionOptions options, IReadOnlyDictionary<string, string> settings)
    {
        using var provider = new OrtCUDAProviderOptions();
        provider.UpdateOptions(new Dictionary<string, string>(settings));
        options.AppendExecutionProvider_CUDA(provider);
    }

    private static bool IsPresent()
    {
        // The host lists here where packages put their native libraries.
        var folders = (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? string.Empty)
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Prepend(AppContext.BaseDirectory);
        return folders.Any(folder => File.Exists(Path.Combine(folder, FileName)));
    }
}
