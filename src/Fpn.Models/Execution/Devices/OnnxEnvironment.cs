using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Fpn.Models.Execution.Devices;

/// <summary>The process-wide ONNX Runtime environment: one thread pool for all sessions.</summary>
/// <remarks>
/// ONNX Runtime chooses its threads from the machine and ignores container limits, and its threads spin between
/// tasks by default, which on few cores takes the processor away from the other session.
/// </remarks>
internal static partial class OnnxEnvironment
{
    private static readonly Lock Gate = new();

    /// <summary>Version of ONNX Runtime; known once the environment was created.</summary>
    public static string Version => OrtEnv.Instance().GetVersionString();

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

            DisableTelemetry();
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

    /// <summary>
    /// ONNX Runtime reports its use to its makers unless a variable forbids it before the start: it would connect to
    /// the internet, keep a device id in the home folder, write to the temporary folder, and run a shell to learn about
    /// the machine, which ends the process where there is none. A value that the user has set stays.
    /// </summary>
    private static void DisableTelemetry()
    {
        if (!OperatingSystem.IsWindows())
        {
            // The runtime's own way of setting variables does not reach native code.
            _ = SetVariable("ORT_DISABLE_TELEMETRY", "1", overwrite: 0);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
