using Fpn.Detection.Imaging;
using Fpn.Service.Configuration;
using Microsoft.ML.OnnxRuntime;
using OrtSessionOptions = Microsoft.ML.OnnxRuntime.SessionOptions;

namespace Fpn.Service.Model.Execution;

/// <summary>What the graphs run on: one GPU, or the CPU.</summary>
/// <remarks>Thread-safe. Its allocators belong to the process-wide environment and live as long as that.</remarks>
internal sealed class ExecutionDevice
{
    private readonly IReadOnlyList<OrtEpDevice> _cuda;
    private readonly CudaOptions _options;
    private readonly OrtAllocator _allocator;
    private readonly OrtAllocator _hostAllocator;
    private readonly HostMemoryPool? _inputMemory;

    /// <summary>The CPU.</summary>
    private ExecutionDevice(string reason, string name)
    {
        Description = new(ExecutionProvider.Cpu, name, reason, Streams: 1);
        (_cuda, _options) = ([], new CudaOptions());
        _allocator = _hostAllocator = OrtAllocator.DefaultInstance;
        Memory = HostMemory = OrtMemoryInfo.DefaultInstance;
    }

    /// <summary>A GPU.</summary>
    private ExecutionDevice(OrtEpDevice gpu, CudaOptions options, string reason)
    {
        Description = new(ExecutionProvider.Cuda, NameOf(gpu, options.DeviceId), reason, options.Streams);
        (_cuda, _options) = ([gpu], options);
        (Memory, _allocator) = Allocator(gpu, OrtDeviceMemoryType.DEFAULT);
        (HostMemory, _hostAllocator) = Allocator(gpu, OrtDeviceMemoryType.HOST_ACCESSIBLE);
        InputMemory = _inputMemory = new HostMemoryPool(this);
    }

    /// <summary>What it is, and why this one.</summary>
    public DeviceDescription Description { get; }

    /// <summary>Where tensors lie that go from one graph to the other.</summary>
    public OrtMemoryInfo Memory { get; }

    /// <summary>
    /// Where tensors lie that the CPU reads and writes: page-locked for a GPU, so that it can copy by itself.
    /// </summary>
    public OrtMemoryInfo HostMemory { get; }

    /// <summary>Where batches of images are put together; null for memory that need not be the device's.</summary>
    public ITensorMemoryPool? InputMemory { get; }

    /// <summary>Chooses the device and tries it.</summary>
    /// <exception cref="SettingsException">CUDA is demanded and cannot be used, or the GPU does not exist.</exception>
    public static ExecutionDevice Open(ExecutionOptions execution, CudaOptions cuda)
    {
        OnnxEnvironment.Ensure(execution.Threads);
        CudaProbe? probe = null;
        var selection = ProviderSelection.Choose(execution.Provider, cuda.DeviceId, () =>
        {
            probe = CudaLibrary.Probe(cuda.Library);
            var failure = probe.Failure;
            if (cuda.DeviceId < probe.Devices.Count)
            {
                failure = TryOut(probe.Devices[cuda.DeviceId], cuda);
            }

            return (probe.Devices.Count, failure);
        });
        return selection.Provider == ExecutionProvider.Cuda
            ? new ExecutionDevice(probe!.Devices[cuda.DeviceId], cuda, selection.Reason)
            : new ExecutionDevice(selection.Reason, $"CPU, {execution.Threads} threads");
    }

    /// <summary>Options of a session that runs on it; the caller disposes them.</summary>
    public OrtSessionOptions CreateSessionOptions()
    {
        var options = new OrtSessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,

            // Every request brings other shapes: a memory pattern per shape would be kept for ever.
            EnableMemoryPattern = false,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        try
        {
            options.DisablePerSessionThreads();
            if (_cuda.Count > 0)
            {
                options.AppendExecutionProvider(OrtEnv.Instance(), _cuda, _options.ToProviderOptions());
            }

            return options;
        }
        catch
        {
            options.Dispose();
            throw;
        }
    }

    /// <summary>Allocates memory on the device, for tensors that stay there.</summary>
    /// <exception cref="ModelFailureException">There is not so much memory.</exception>
    public DeviceBuffer Allocate(long bytes) => new(_allocator, Memory, bytes);

    /// <summary>Allocates memory that the CPU reads and writes and the device copies from and to.</summary>
    /// <exception cref="ModelFailureException">There is not so much memory.</exception>
    public DeviceBuffer AllocateHost(long bytes) => new(_hostAllocator, HostMemory, bytes);

    /// <summary>Frees memory for batches of images that nobody uses now.</summary>
    public void FreeIdleInputMemory() => _inputMemory?.FreeIdle();

    /// <returns>Why the GPU cannot be used, or null.</returns>
    private static string? TryOut(OrtEpDevice gpu, CudaOptions options)
    {
        try
        {
            TrialGraph.Run(new ExecutionDevice(gpu, options, string.Empty));
            return null;
        }
        catch (Exception exception) when (exception is OnnxRuntimeException or ModelFailureException or DeviceLostException)
        {
            return $"a trial convolution on GPU {options.DeviceId} failed: {exception.Message.ReplaceLineEndings(" ")}";
        }
    }

    private static (OrtMemoryInfo Memory, OrtAllocator Allocator) Allocator(OrtEpDevice gpu, OrtDeviceMemoryType type)
    {
        var memory = gpu.GetMemoryInfo(type);
        if (memory.IsInvalid)
        {
            throw new ModelFailureException($"the CUDA provider offers no memory of type {type}");
        }

        return (memory, OrtEnv.Instance().GetSharedAllocator(memory)
            ?? OrtEnv.Instance().CreateSharedAllocator(
                gpu, type, OrtAllocatorType.DeviceAllocator, new Dictionary<string, string>()));
    }

    private static string NameOf(OrtEpDevice gpu, int deviceId)
    {
        var known = gpu.HardwareDevice.Metadata.Entries;
        var name = known.GetValueOrDefault("Description") ?? $"{gpu.HardwareDevice.Vendor} GPU".TrimStart();
        return $"{name}, CUDA device {deviceId}";
    }
}
