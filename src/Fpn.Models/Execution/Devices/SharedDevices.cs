using Fpn.Models.Options;

namespace Fpn.Models.Execution.Devices;

/// <summary>One device for each set of options, shared by all detectors of the process. Thread-safe.</summary>
/// <remarks>A GPU's device lives as long as the process, so opening one for each detector would add up.</remarks>
internal static class SharedDevices
{
    private static readonly Lock Gate = new();
    private static readonly Dictionary<object, ExecutionDevice> Opened = [];

    /// <summary>Returns the device that was opened with equal options, or opens it.</summary>
    /// <inheritdoc cref="ExecutionDevice.Open"/>
    public static ExecutionDevice Open(ExecutionOptions execution, CudaOptions cuda)
    {
        object key = (
            execution.Provider,
            execution.Threads,
            (cuda.DeviceId, cuda.MemoryLimit, cuda.ArenaStrategy, cuda.ConvAlgorithmSearch),
            (cuda.Tf32, cuda.PreferNhwc, cuda.FuseConvBias, cuda.SessionPerShape, cuda.Streams));
        lock (Gate)
        {
            if (!Opened.TryGetValue(key, out var device))
            {
                device = ExecutionDevice.Open(execution, cuda.Copy());
                Opened.Add(key, device);
            }

            return device;
        }
    }
}
