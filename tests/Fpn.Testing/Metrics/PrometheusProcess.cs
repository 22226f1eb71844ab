using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Fpn.Testing.Metrics;

/// <summary>A real Prometheus on a free port, with its files in a folder that is deleted at the end.</summary>
internal sealed partial class PrometheusProcess : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fpn-prometheus-");
    private readonly Process _process;
    private readonly List<string> _log = [];
    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Starts it.</summary>
    /// <param name="files">Name and text of the files in its folder; <c>prometheus.yml</c> is one of them.</param>
    public PrometheusProcess(params (string Name, string Text)[] files)
    {
        foreach (var (name, text) in files)
        {
            File.WriteAllText(Path.Combine(_folder.FullName, name), text);
        }

        _process = new Process
        {
            StartInfo = new ProcessStartInfo(
                PrometheusTools.Server,
                [
                    $"--config.file={Path.Combine(_folder.FullName, "prometheus.yml")}",
                    $"--storage.tsdb.path={Path.Combine(_folder.FullName, "data")}",
                    "--web.listen-address=127.0.0.1:0",
                ])
            {
                RedirectStandardError = true,
            },
        };
        _process.ErrorDataReceived += (_, line) => Read(line.Data);
        _process.Start();
        _process.BeginErrorReadLine();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Waits for the log line that names the port.</summary>
    /// <returns>A client whose base address is the API's.</returns>
    public async Task<HttpClient> ConnectAsync() =>
        new() { BaseAddress = new Uri(await _address.Task.WaitAsync(Cancel), "api/v1/") };

    /// <summary>Asks the API.</summary>
    /// <returns>What the answer holds as <c>data</c>.</returns>
    public static async Task<JsonElement> GetAsync(HttpClient client, string path)
    {
        using var response = await client.GetAsync(path, Cancel);
        var body = await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        Assert.True(body.GetProperty("status").GetString() == "success", $"{path}: {body}");
        return body.GetProperty("data");
    }

    /// <summary>Evaluates a query now.</summary>
    /// <returns>Its series.</returns>
    public static async Task<JsonElement[]> QueryAsync(HttpClient client, string query)
    {
        var answer = await GetAsync(client, $"query?query={Uri.EscapeDataString(query)}");
        return [.. answer.GetProperty("result").EnumerateArray()];
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    private void Read(string? line)
    {
        if (line is null)
        {
            var log = string.Join(" | ", _log);
            _address.TrySetException(new InvalidOperationException($"Prometheus ended before it listened: {log}"));
        }
        else if (Listening().Match(line) is { Success: true } match)
        {
            _address.TrySetResult(new Uri($"http://{match.Groups[1].Value}/"));
        }
        else if (!_address.Task.IsCompleted)
        {
            _log.Add(line);
        }
    }

    [GeneratedRegex(@"msg=""Listening on"" address=(\S+)")]
    private static partial Regex Listening();
}
