using System.Globalization;
using Fpn.Detection.Tensors;
using Fpn.Models.Options;
using Microsoft.ML.OnnxRuntime;
using OrtSessionOptions = Microsoft.ML.OnnxRuntime.SessionOptions;

namespace Fpn.Models.Execution.Devices;

/// <summary>What the graphs run on: one GPU, or the CPU.</summary>
/// <remarks>
/// Thread-safe. A GPU's allocators belong to the session of the trial, which therefore lives as long as the process.
/// </remarks>
#pragma warning disable CA1001 // It lives as long as the process, and memory that came from its allocators may as well.
internal sealed class ExecutionDevice
#pragma warning restore CA1001
{
    private readonly CudaOptions? _cuda;
    private readonly OrtAllocator _allocator;
    private readonly OrtAllocator _hostAllocator;
    private readonly HostMemoryPool? _inputMemory;

    /// <summary>The CPU.</summary>
    private ExecutionDevice(string reason, string name)
    {
        Description = new(ExecutionProvider.Cpu, name, reason, Streams: 1);
        _allocator = _hostAllocator = OrtAllocator.DefaultInstance;
        Memory = OrtMemoryInfo.DefaultInstance;
    }

    /// <summary>A GPU, after a trial.</summary>
    private ExecutionDevice(Gpu gpu, CudaOptions options, string reason)
    {
        Description = new(ExecutionProvider.Cuda, NameFor(gpu, options.DeviceId), reason, options.Streams)
        {
            SessionPerShape = options.SessionPerShape,
        };
        _cuda = options;
        Memory = new OrtMemoryInfo("Cuda", OrtAllocatorType.DeviceAllocator, options.DeviceId, OrtMemType.Default);
        using (var settings = new OrtSessionOptions())
        {
            // Loads CUDA's libraries, which the pool needs.
            CudaProvider.AddTo(settings, options.ToProviderOptions(inHalf: false));
        }

        SharedArena.Register(options.DeviceId, Memory, options.MemoryLimit, options.ArenaStrategy);
        var trial = TrialGraph.Load(this);
        try
        {
            _allocator = new OrtAllocator(trial, Memory);
            using (var pinned = new OrtMemoryInfo(
                "CudaPinned", OrtAllocatorType.DeviceAllocator, options.DeviceId, OrtMemType.Default))
            {
                _hostAllocator = new OrtAllocator(trial, pinned);
            }

            InputMemory = _inputMemory = new HostMemoryPool(this);
            TrialGraph.Run(trial, this);
        }
        catch
        {
            trial.Dispose();
            throw;
        }
    }

    /// <summary>What it is, and why this one.</summary>
    public DeviceDescription Description { get; }

    /// <summary>Where tensors lie that go from one graph to the other.</summary>
    public OrtMemoryInfo Memory { get; }

    /// <summary>Where batches of images are put together; null for memory that need not be the device's.</summary>
    public ITensorMemoryPool? InputMemory { get; }

    /// <summary>Whether a graph's arithmetic decides how its session is made: TF32 is off, for float32 alone.</summary>
    public bool AsksForArithmetic => _cuda is { Tf32: false };

    /// <summary>Chooses the device and tries it.</summary>
    /// <exception cref="InvalidOptionException">CUDA is demanded and cannot be used, the GPU does not exist, or
    /// settings contradict each other.</exception>
    public static ExecutionDevice Open(ExecutionOptions execution, CudaOptions cuda)
    {
        cuda.Check();
        OnnxEnvironment.Ensure(execution.Threads);
        ExecutionDevice? device = null;
        var selection = ProviderSelection.Choose(execution.Provider, cuda.DeviceId, () =>
        {
            var found = CudaProvider.Probe();
            return (found.Gpus.Count, cuda.DeviceId < found.Gpus.Count
                ? TryOpen(
                    found.Gpus[cuda.DeviceId], cuda, ProviderSelection.ReasonForCuda(execution.Provider), out device)
                : found.Failure);
        });
        return device ?? new ExecutionDevice(
            selection.Reason, string.Create(CultureInfo.InvariantCulture, $"CPU, {execution.Threads} threads"));
    }

    /// <summary>Options of a session that runs on it; the caller disposes them.</summary>
    /// <param name="inHalf">Whether the graph computes in float16.</param>
    public OrtSessionOptions CreateSessionOptions(bool inHalf = false)
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
            if (_cuda is not null)
            {
                options.AddSessionConfigEntry(SharedArena.UseIt, "1");
                CudaProvider.AddTo(options, _cuda.ToProviderOptions(inHalf));
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

    /// <summary>
    /// Allocates memory that the CPU reads and writes: page-locked for a GPU, which can then copy by itself.
    /// </summary>
    /// <remarks>
    /// ONNX Runtime sees it as common memory: it would take an output's page-locked memory for the GPU's own,
    /// write into it directly, and then refuse to copy it onto itself (1.31).
    /// </remarks>
    /// <exception cref="ModelFailureException">There is not so much memory.</exception>
    public DeviceBuffer AllocateHost(long bytes) => new(_hostAllocator, OrtMemoryInfo.DefaultInstance, bytes);

    /// <summary>Frees memory for batches of images that is not in use.</summary>
    public void FreeIdleInputMemory() => _inputMemory?.FreeIdle();

    /// <returns>Why the GPU cannot be used, or null.</returns>
    private static string? TryOpen(Gpu gpu, CudaOptions options, string reason, out ExecutionDevice? device)
    {
        device = null;
        try
        {
            device = new ExecutionDevice(gpu, options, reason);
            return null;
        }
        catch (Exception exception)
            when (exception is OnnxRuntimeException or ModelFailureException or DeviceLostException)
        {
            return $"GPU {options.DeviceId} ({gpu.Name}) cannot be used, which needs CUDA 13 and cuDNN 9 on the "
                + $"library path: {exception.Message.ReplaceLineEndings(" ")}";
        }
    }

    private static string NameFor(Gpu gpu, int deviceId) => string.Create(
        CultureInfo.InvariantCulture, $"{gpu.Name}, {gpu.Memory / (double)(1L << 30):F0} GiB, CUDA device {deviceId}");
}
