using Microsoft.ML.OnnxRuntime;

namespace Fpn.Service.Model;

/// <summary>The process-wide ONNX Runtime environment: one thread pool for all sessions.</summary>
/// <remarks>
/// ONNX Runtime chooses its threads from the machine and ignores container limits, and its threads spin between
/// tasks by default, which on few cores takes the processor away from the other session.
/// </remarks>
internal static class OnnxEnvironment
{
    private static readonly Lock Gate = new();

    /// <summary>Creates the environment on the first call; later calls change nothing (it is one a process).</summary>
    /// <param name="threads">Threads of the pool, the calling one included.</param>
    public static void Ensure(int threads)
    {
        lock (Gate)
        {
            if (OrtEnv.IsCreated)
            {
                return;
            }

            using var threading = new OrtThreadingOptions
            {
                GlobalIntraOpNumThreads = threads,
                GlobalInterOpNumThreads = 1,
                GlobalSpinControl = false,
            };
            var options = new EnvironmentCreationOptions
            {
                logId = "fpn",
                logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
                threadOptions = threading,
            };
            OrtEnv.CreateInstanceWithOptions(ref options);
        }
    }
}
