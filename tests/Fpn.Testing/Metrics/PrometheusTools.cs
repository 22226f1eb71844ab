using System.Diagnostics;

namespace Fpn.Testing.Metrics;

/// <summary>Debian's package <c>prometheus</c>: the server, and <c>promtool</c>, which checks what it reads.</summary>
internal static class PrometheusTools
{
    private static readonly string? Folder =
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator).FirstOrDefault(
            folder => File.Exists(Path.Combine(folder, "prometheus")) && File.Exists(Path.Combine(folder, "promtool")));

    /// <summary>The server.</summary>
    public static string Server => Path.Combine(Folder!, "prometheus");

    /// <summary>Skips the test where the package is not installed, but fails it under CI=true.</summary>
    public static void Require()
    {
        if (Folder is null)
        {
            const string Reason = "prometheus is absent (Debian's package of this name brings it and promtool).";
            if (string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase))
            {
                Assert.Fail(Reason);
            }

            Assert.Skip(Reason);
        }
    }

    /// <summary>Runs promtool to its end.</summary>
    /// <param name="input">What it reads.</param>
    /// <param name="arguments">Its command line.</param>
    /// <returns>Exit code, and all that it wrote.</returns>
    public static async Task<(int Code, string Output)> RunPromtoolAsync(string input, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(Folder!, "promtool"), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        }) ?? throw new InvalidOperationException("promtool did not start.");
        var cancel = TestContext.Current.CancellationToken;
        var output = process.StandardOutput.ReadToEndAsync(cancel);
        var errors = process.StandardError.ReadToEndAsync(cancel);
        await process.StandardInput.WriteAsync(input.AsMemory(), cancel);
        process.StandardInput.Close();
        await process.WaitForExitAsync(cancel);
        return (process.ExitCode, await output + await errors);
    }
}
