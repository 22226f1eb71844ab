using System.Diagnostics;
using System.Globalization;
using Fpn.Testing.Packages;

namespace Fpn.Testing.Running;

/// <summary>A real nginx with docker/nginx.conf, in which only the three addresses and the folder for files are
/// others.</summary>
internal sealed class NginxProcess : IDisposable
{
    private const string Program = "/usr/sbin/nginx";

    private readonly string _folder = Directory.CreateTempSubdirectory("fpn-nginx-").FullName;
    private readonly Process _process;
    private readonly Task<string> _errors;

    /// <summary>Starts it.</summary>
    /// <param name="replicas">The two services; then, for gRPC, the same two at other addresses.</param>
    public NginxProcess(params Uri[] replicas)
    {
        Address = new Uri($"http://127.0.0.1:{FreePort.Find().ToString(CultureInfo.InvariantCulture)}/");
        GrpcAddress = new Uri($"http://127.0.0.1:{FreePort.Find().ToString(CultureInfo.InvariantCulture)}/");
        var configuration = WriteConfiguration(
            _folder,
            Address.Authority,
            GrpcAddress.Authority,
            [.. replicas.Select(replica => replica.Authority)]);
        _process = Start(configuration);
        _errors = _process.StandardError.ReadToEndAsync();
        Log = new OutputLines(_process.StandardOutput);
    }

    /// <summary>Why there is no nginx, if there is none.</summary>
    public static string? Absent => File.Exists(Program) ? null : "nginx is absent: nothing balances the load.";

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>Where it listens for gRPC.</summary>
    public Uri GrpcAddress { get; }

    /// <summary>Its access log: one line a request.</summary>
    public OutputLines Log { get; }

    /// <summary>Waits until it answers.</summary>
    public async Task WaitUntilListeningAsync()
    {
        using var client = new HttpClient { BaseAddress = Address };
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(TimeSpan.FromMinutes(1));
        while (true)
        {
            try
            {
                // Answered by nginx itself.
                using var answer = await client.GetAsync("metrics", patience.Token);
                return;
            }
            catch (HttpRequestException) when (!_process.HasExited)
            {
                await Task.Yield();
            }
        }
    }

    /// <summary>Runs <c>nginx -t</c>.</summary>
    /// <returns>Exit code and what it printed.</returns>
    public static async Task<(int Code, string Output)> CheckAsync()
    {
        var folder = Directory.CreateTempSubdirectory("fpn-nginx-").FullName;
        try
        {
            var configuration = WriteConfiguration(
                folder, "127.0.0.1:8080", "127.0.0.1:8001", ["127.0.0.1:8081", "127.0.0.1:8082"]);
            using var process = Start(configuration, "-t");
            var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            return (process.ExitCode, await errors);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Ends it as a container engine does, and returns what it has printed besides the access log.</summary>
    public async Task<string> StopAsync()
    {
        using var stop = Process.Start("/bin/kill", ["-QUIT", _process.Id.ToString(CultureInfo.InvariantCulture)]);
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        await Log.End;
        return await _errors;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static Process Start(string configuration, params string[] more)
    {
        // Started by root, its workers would become nobody,
        // who may not enter the folder; in the container all are one user.
        var directives = Environment.UserName == "root" ? "daemon off; user root;" : "daemon off;";
        var start = new ProcessStartInfo(Program, ["-c", configuration, "-g", directives, .. more])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Process.Start(start) ?? throw new InvalidOperationException($"{Program} did not start.");
    }

    private static string WriteConfiguration(string folder, string listen, string listenGrpc, string[] replicas)
    {
        var text = File.ReadAllText(Path.Combine(Checkout.Root, "docker", "nginx.conf"));
        text = ModelFolder.Edit(text, "listen 8080 ", $"listen {listen} ");
        text = ModelFolder.Edit(text, "server fpn-1:8080 ", $"server {replicas[0]} ");
        text = ModelFolder.Edit(text, "server fpn-2:8080 ", $"server {replicas[1]} ");
        text = ModelFolder.Edit(text, "listen 8001 ", $"listen {listenGrpc} ");
        text = ModelFolder.Edit(text, "server fpn-1:8001 ", $"server {replicas[^2]} ");
        text = ModelFolder.Edit(text, "server fpn-2:8001 ", $"server {replicas[^1]} ");
        text = ModelFolder.Edit(text, " /tmp/nginx", $" {folder}/nginx");
        var file = Path.Combine(folder, "nginx.conf");
        File.WriteAllText(file, text);
        return file;
    }
}
