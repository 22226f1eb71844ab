using Fpn.Models.Options;

namespace Fpn.Models.Execution.Devices;

/// <summary>Which provider was chosen, and why.</summary>
/// <param name="Provider">Never <see cref="ExecutionProvider.Auto"/>.</param>
/// <param name="Reason">For people: shown in the log, <c>/models</c>, the metrics and the health details.</param>
internal sealed record ProviderSelection(ExecutionProvider Provider, string Reason)
{
    /// <summary>Chooses.</summary>
    /// <param name="wanted">The setting.</param>
    /// <param name="deviceId">The GPU that is wanted.</param>
    /// <param name="probe">Looks for CUDA: the number of GPUs, or why none can be used. Not called when the CPU is
    /// wanted.</param>
    /// <exception cref="InvalidOptionException">CUDA is demanded and cannot be used, or the GPU does not
    /// exist.</exception>
    public static ProviderSelection Choose(
        ExecutionProvider wanted, int deviceId, Func<(int Gpus, string? Failure)> probe)
    {
        if (wanted == ExecutionProvider.Cpu)
        {
            return new(ExecutionProvider.Cpu, "setting 'Fpn:Execution:Provider' is 'cpu'");
        }

        var (gpus, failure) = probe();
        if (failure is not null)
        {
            return wanted == ExecutionProvider.Cuda
                ? throw new InvalidOptionException(
                    $"Setting 'Fpn:Execution:Provider' is 'cuda', but {failure}. "
                    + "With 'auto' the service would run on the CPU.")
                : new(ExecutionProvider.Cpu, failure);
        }

        // Another GPU than the one asked for may belong to somebody else, so there is no fallback.
        if (deviceId >= gpus)
        {
            throw new InvalidOptionException(
                $"Setting 'Fpn:Cuda:DeviceId' is {deviceId}, but there "
                + $"{(gpus == 1 ? "is 1 GPU" : $"are {gpus} GPUs")}, counted from 0.");
        }

        return new(ExecutionProvider.Cuda, ReasonForCuda(wanted));
    }

    /// <summary>Why CUDA was chosen where it works.</summary>
    public static string ReasonForCuda(ExecutionProvider wanted) => wanted == ExecutionProvider.Cuda
        ? "setting 'Fpn:Execution:Provider' is 'cuda'"
        : "the CUDA provider is there and works";
}
