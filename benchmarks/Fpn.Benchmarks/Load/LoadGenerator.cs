using System.Diagnostics;
using System.Net;
using System.Text.Json;

namespace Fpn.Benchmarks.Load;

/// <summary>What a run of the load generator saw.</summary>
/// <param name="Clients">Requests in flight at any time.</param>
/// <param name="PerSecond">Answers with status 200 per second.</param>
/// <param name="P50">Median latency, in milliseconds.</param>
/// <param name="P95">95th percentile.</param>
/// <param name="P99">99th percentile.</param>
/// <param name="MeanBatch">Mean of <c>batchSize</c> in the answers.</param>
/// <param name="Rejected">Answers with status 503 or 504.</param>
/// <param name="GeneratorCpu">Processor time that the load generator itself used.</param>
internal sealed record LoadResult(
    int Clients, double PerSecond, double P50, double P95, double P99, double MeanBatch, int Rejected,
        TimeSpan GeneratorCpu);

/// <summary>Clients in a closed loop: each sends its next request when it has its answer, after Retry-After where it
/// was rejected.</summary>
internal sealed class LoadGenerator(Uri address, byte[][] images) : IDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { MaxConnectionsPerServer = 512 })
    {
        BaseAddress = address,
        Timeout = TimeSpan.FromMinutes(2),
    };

    /// <summary>Runs so many clients for a time.</summary>
    public Task<LoadResult> RunAsync(int clients, TimeSpan time)
    {
        var start = Stopwatch.GetTimestamp();
        return RunAsync(clients, _ => Stopwatch.GetElapsedTime(start) < time);
    }

    /// <summary>Runs so many clients as long as requests may be sent.</summary>
    /// <param name="clients">Requests in flight at any time.</param>
    /// <param name="maySend">Asked before each request, by several threads, with the number of the request from 0
    /// on.</param>
    /// <param name="first">The image that request 0 sends; the others follow in order, over and over.</param>
    public async Task<LoadResult> RunAsync(int clients, Func<int, bool> maySend, int first = 0)
    {
        var latencies = new List<double>();
        long batches = 0;
        var rejected = 0;
        var cpu = Process.GetCurrentProcess().TotalProcessorTime;
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(async client =>
        {
            for (var i = client; maySend(i); i += clients)
            {
                var sent = Stopwatch.GetTimestamp();
                using var content = new ByteArrayContent(images[(first + i) % images.Length]);
                using var response = await _client.PostAsync("detect", content);
                var body = await response.Content.ReadAsByteArrayAsync();
                var latency = Stopwatch.GetElapsedTime(sent).TotalMilliseconds;
                if (response.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout)
                {
                    Interlocked.Increment(ref rejected);

                    // As a client should; one that asks again at once measures its own hammering.
                    await Task.Delay(response.Headers.RetryAfter?.Delta ?? TimeSpan.FromSeconds(1));
                    continue;
                }

                response.EnsureSuccessStatusCode();
                Interlocked.Add(ref batches, BatchSize(body));
                lock (latencies)
                {
                    latencies.Add(latency);
                }
            }
        }));
        var elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
        cpu = Process.GetCurrentProcess().TotalProcessorTime - cpu;
        latencies.Sort();
        return new LoadResult(
            clients, latencies.Count / elapsed, At(0.5), At(0.95), At(
                0.99), latencies.Count == 0 ? 0 : (double)batches / latencies.Count, rejected, cpu);

        double At(double share) =>
            latencies.Count == 0 ? 0 : latencies[(int)Math.Min(latencies.Count - 1, share * latencies.Count)];
    }

    public void Dispose() => _client.Dispose();

    private static int BatchSize(byte[] body)
    {
        using var answer = JsonDocument.Parse(body);
        return answer.RootElement.GetProperty("batchSize").GetInt32();
    }
}
