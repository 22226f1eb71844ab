using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace Fpn.Testing.Running;

/// <summary>The service as its own process, as users start it.</summary>
internal sealed partial class ServiceProcess : IDisposable
{
    private const int KillSignal = 9;
    private const int Terminate = 15;

    private readonly Process _process;
    private readonly CancellationTokenSource _patience =
        CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly Task<string> _errors;
    private Task? _rest;

    /// <summary>Starts it on a free port; the model is blood-cells unless the arguments or variables say
    /// otherwise.</summary>
    /// <param name="arguments">More of the command line.</param>
    /// <param name="environment">More variables; null takes one away.</param>
    public ServiceProcess(IEnumerable<string> arguments, params (string Name, string? Value)[] environment)
    {
        // Not a wait that tests rely on: a process that hangs is ended, and the test fails.
        _patience.CancelAfter(TimeSpan.FromMinutes(2));
        var start = new ProcessStartInfo("dotnet")
        {
            WorkingDirectory = Path.Combine(Checkout.Root, "src", "Fpn.Service"),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in (string[])[Path.Combine(AppContext.BaseDirectory, "Fpn.Service.dll"), .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        string[] ours = ["ASPNETCORE_", "Fpn__"];
        foreach (var name in start.Environment.Keys.Where(name => Array.Exists(
            ours, prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))).ToArray())
        {
            start.Environment.Remove(name);
        }

        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        start.Environment["Fpn__Models__Default"] = "blood-cells";
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start.");
        _errors = _process.StandardError.ReadToEndAsync(_patience.Token);
    }

    /// <summary>Lines of standard output: up to the address once that is known, all of them after the end.</summary>
    public List<string> Output { get; } = [];

    /// <summary>The most memory that the process has had so far, in bytes: its peak resident size.</summary>
    public long PeakBytes
    {
        get
        {
            _process.Refresh();
            return _process.PeakWorkingSet64;
        }
    }

    /// <summary>Waits for the log line that names the port.</summary>
    /// <returns>The service's address.</returns>
    public async Task<Uri> WaitForAddressAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync(_patience.Token) is { } line)
        {
            Output.Add(line);
            if (Listening().Match(line) is { Success: true } match)
            {
                // Read on, or a service that logs much would stop when the pipe is full.
                _rest = ReadRestAsync();
                return new Uri(match.Groups[1].Value);
            }
        }

        throw new InvalidOperationException(
            $"The service ended before it listened: {string.Join(" | ", Output)} {await _errors}");
    }

    /// <summary>Asks the process to end, as container runtimes do.</summary>
    public void SendTerminate() => Assert.Equal(0, Kill(_process.Id, Terminate));

    /// <summary>Ends the process without asking.</summary>
    public void SendKill() => Assert.Equal(0, Kill(_process.Id, KillSignal));

    /// <summary>Waits for the end.</summary>
    /// <returns>Exit code and the lines of standard error.</returns>
    public async Task<(int Code, string[] Errors)> WaitForExitAsync()
    {
        await (_rest ?? ReadRestAsync());
        await _process.WaitForExitAsync(_patience.Token);
        return (_process.ExitCode, (await _errors).Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
        _patience.Dispose();
    }

    private async Task ReadRestAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync(_patience.Token) is { } line)
        {
            Output.Add(line);
        }
    }

    [GeneratedRegex(@"Now listening on: (https?://\S+)")]
    private static partial Regex Listening();

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
