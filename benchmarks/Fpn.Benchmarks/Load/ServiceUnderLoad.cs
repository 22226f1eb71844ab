using System.Diagnostics;
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

    public static async Task<ServiceUnderLoad> StartAsync(string models)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList =
            {
                Path.Combine(AppContext.BaseDirectory, "Fpn.Service.dll"),
                "--contentRoot", AppContext.BaseDirectory,
                "--urls", "http://127.0.0.1:0",
                "--Fpn:Models:Path", Path.GetFullPath(models),
            },
            RedirectStandardOutput = true,
        };
        var process = Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start.");
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (Listening().Match(line) is { Success: true } match)
            {
                // Nobody reads the request log, and a full pipe would stop the service.
                _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
                return new ServiceUnderLoad(process, new Uri(match.Groups[1].Value));
            }
        }

        throw new InvalidOperationException("The service ended before it listened.");
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
