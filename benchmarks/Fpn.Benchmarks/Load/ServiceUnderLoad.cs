using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Fpn.Benchmarks.Load;

/// <summary>The service as its own process on a free port.</summary>
internal sealed partial class ServiceUnderLoad : IDisposable
{
    private readonly Process _process;

    private ServiceUnderLoad(Process process, Uri address)
    {
        _process = process;
        Address = address;
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>Processor time that it has used so far.</summary>
    public TimeSpan CpuTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    /// <summary>Memory of the process that is in use, in bytes.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>Starts the service and waits until it listens, which it does once its models are warm.</summary>
    /// <param name="models">The folder of packages.</param>
    /// <param name="settings">Names below <c>Fpn:</c> and their values.</param>
    /// <exception cref="InvalidOperationException">It ended before that; its own words are on standard
    /// error.</exception>
    public static async Task<ServiceUnderLoad> StartAsync(string models, params (string Name, string Value)[] settings)
    {
        // Where .NET is part of what was published, so is the service's own program.
        var service = Path.Combine(AppContext.BaseDirectory, "Fpn.Service");
        var isSelfContained = File.Exists(Path.Combine(AppContext.BaseDirectory, "libcoreclr.so"));
        string[] arguments =
        [
            .. isSelfContained ? Array.Empty<string>() : [$"{service}.dll"],
            "--contentRoot", AppContext.BaseDirectory,
            "--urls", "http://127.0.0.1:0",
            "--Fpn:Models:Path", Path.GetFullPath(models),
            .. settings.SelectMany(setting => new[] { $"--Fpn:{setting.Name}", setting.Value }),
        ];
        var program = isSelfContained ? service : "dotnet";
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true };
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (Listening().Match(line) is { Success: true } match)
            {
                // The request log is not read, and a full pipe would stop the service.
                _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
                return new ServiceUnderLoad(process, new Uri(match.Groups[1].Value));
            }
        }

        throw new InvalidOperationException("The service ended before it listened.");
    }

    /// <summary>The sum of a metric's series.</summary>
    /// <param name="name">As <c>/metrics</c> names it.</param>
    /// <returns>Null where the service has no such metric.</returns>
    public async Task<double?> ReadMetricAsync(string name)
    {
        using HttpClient client = new() { BaseAddress = Address };
        var values = (await client.GetStringAsync("metrics")).Split('\n')
            .Where(line => line.StartsWith($"{name}{{", StringComparison.Ordinal))
            .Select(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture))
            .ToArray();
        return values.Length == 0 ? null : values.Sum();
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    [GeneratedRegex(@"Now listening on: (\S+)")]
    private static partial Regex Listening();
}
