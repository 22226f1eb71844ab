using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace Fpn.Benchmarks.Gpu;

/// <summary>Asks the driver's own program about the first GPU.</summary>
internal static class NvidiaSmi
{
    /// <summary>
    /// Name, driver's version, total memory in MiB and power limit in W, as the driver writes them; null without a
    /// driver.
    /// </summary>
    public static string[]? Describe() => Query("name,driver_version,memory.total,power.limit")?.Split(", ");

    /// <summary>Memory of the GPU in use by all processes, in MiB; null without a driver.</summary>
    public static double? UsedMemory()
    {
        var text = Query("memory.used");
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var used) ? used : null;
    }

    private static string? Query(string fields)
    {
        try
        {
            string[] arguments = ["--id=0", $"--query-gpu={fields}", "--format=csv,noheader,nounits"];
            ProcessStartInfo start = new("nvidia-smi", arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using var process = Process.Start(start);
            if (process is null)
            {
                return null;
            }

            var output = process.StandardOutput.ReadToEnd().Trim();
            process.WaitForExit();
            return process.ExitCode == 0 ? output : null;
        }
        catch (Win32Exception)
        {
            // There is no such program, hence no driver.
            return null;
        }
    }
}
