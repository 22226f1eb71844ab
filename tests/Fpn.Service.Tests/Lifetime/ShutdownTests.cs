using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Lifetime;

/// <summary>SIGTERM to the real process: what it has accepted it answers, and ends in time with status 0.</summary>
/// <remarks>Nothing else runs meanwhile: the times are those of a machine that is not busy with other tests.</remarks>
[Collection(Alone.Collection)]
[Trait("Speed", "slow")]
public sealed class ShutdownTests(ITestOutputHelper output)
{
    private const int Runs = 20;
    private const int Clients = 8;

    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.SampleImage);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Every other run has a delay in which clients learn of the end from <c>Connection: close</c>.</summary>
    [Fact]
    public async Task Sigterm_UnderLoad_LosesNoAcceptedRequest()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "SIGTERM is absent on Windows");
        for (var run = 0; run < Runs; run++)
        {
            await StopUnderLoadAsync(run, delayMs: run % 2 == 0 ? 0 : 300);
        }
    }

    /// <summary>
    /// A body that has not arrived when the time is over gets an answer, too, and does not hold up the end.
    /// </summary>
    [Fact]
    public async Task Sigterm_BodyThatNeverEnds_IsAnsweredBeforeTheTimeout()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "SIGTERM is absent on Windows");
        using var process = new ServiceProcess(
            [$"--Fpn:Models:Path={Checkout.BloodCells}", "--Fpn:Batching:MaxBatchSize=1", "--Fpn:Shutdown:Timeout=3s"]);
        using var connection = await RawConnection.OpenAsync(await process.WaitForAddressAsync());
        await connection.SendAsync(
            "POST /detect HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 100", await connection.ReadHeadAsync(), StringComparison.Ordinal);
        await connection.SendAsync(Sample[..10]);

        var started = Stopwatch.GetTimestamp();
        process.SendTerminate();
        var answer = await connection.ReadAnswerAsync();
        Assert.Equal((503, true), (answer.Status, answer.Closes));
        Assert.Equal("shutting-down", JsonDocument.Parse(answer.Body).RootElement.GetProperty("type").GetString());
        Assert.Equal(0, (await process.WaitForExitAsync()).Code);
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(5));
    }

    private async Task StopUnderLoadAsync(int run, int delayMs)
    {
        using var process = new ServiceProcess(
            [
                $"--Fpn:Models:Path={Checkout.BloodCells}", "--Fpn:Batching:MaxBatchSize=1",
                $"--Fpn:Shutdown:Delay={delayMs}ms", $"--Fpn:Shutdown:Timeout={Timeout.TotalSeconds}s",
            ]);
        var address = await process.WaitForAddressAsync();
        var load = new Load(Clients + run);
        var clients = Enumerable
            .Range(0, Clients).Select(_ => Task.Run(() => PostUntilClosedAsync(address, load), Cancel)).ToArray();
        await load.Reached.WaitAsync(TimeSpan.FromMinutes(2), Cancel);
        var started = Stopwatch.GetTimestamp();
        process.SendTerminate();
        var tallies = await Task.WhenAll(clients);
        var (code, errors) = await process.WaitForExitAsync();
        var elapsed = Stopwatch.GetElapsedTime(started);

        var answered = tallies.Sum(tally => tally.Answered);
        var lines = process.Output.Where(line => line.Contains("POST /detect ", StringComparison.Ordinal)).ToList();
        output.WriteLine(
            $"run {run}: {answered} answered, {tallies.Sum(tally => tally.Cut.Count)} cut, {lines.Count} logged, ended "
            + $"in {elapsed.TotalMilliseconds:F0} ms");
        Assert.Equal(0, code);
        Assert.Empty(errors);
        Assert.InRange(elapsed, TimeSpan.Zero, Timeout);
        Assert.All(lines, line => Assert.Contains("POST /detect 200 in", line, StringComparison.Ordinal));
        Assert.Equal(lines.Count, answered);

        // The port stays open for the delay: what was sent before its end is answered. Later, a connection may close
        // just when a request is on its way; the service has not read it.
        Assert.All(tallies.SelectMany(tally => tally.Cut), sent => Assert.True(
            Stopwatch.GetElapsedTime(started, sent).TotalMilliseconds >= delayMs,
            $"cut {Stopwatch.GetElapsedTime(started, sent).TotalMilliseconds:F1} ms after SIGTERM"));
    }

    /// <summary>
    /// Posts one image after the other, over one connection while it is kept, until no new one is accepted.
    /// </summary>
    /// <returns>How many were answered, and when those were sent that were cut.</returns>
    private static async Task<(int Answered, List<long> Cut)> PostUntilClosedAsync(Uri address, Load load)
    {
        var answered = 0;
        List<long> cut = [];
        while (true)
        {
            RawConnection connection;
            try
            {
                connection = await RawConnection.OpenAsync(address);
            }
            catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
            {
                return (answered, cut);
            }
            catch (SocketException reset) when (reset.SocketErrorCode == SocketError.ConnectionReset)
            {
                // The port closed while the connection waited to be accepted.
                cut.Add(Stopwatch.GetTimestamp());
                continue;
            }

            using (connection)
            {
                var sent = Stopwatch.GetTimestamp();
                try
                {
                    RawAnswer answer;
                    do
                    {
                        sent = Stopwatch.GetTimestamp();
                        await connection.SendDetectAsync(Sample);
                        answer = await connection.ReadAnswerAsync();
                        Assert.Equal(200, answer.Status);
                        answered++;
                        load.Count();
                    }
                    while (!answer.Closes);
                }
                catch (IOException)
                {
                    cut.Add(sent);
                }
            }
        }
    }

    /// <summary>Tells when all clients together have so many answers.</summary>
    private sealed class Load(int enough)
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _answers;

        public Task Reached => _reached.Task;

        public void Count()
        {
            if (Interlocked.Increment(ref _answers) == enough)
            {
                _reached.SetResult();
            }
        }
    }
}
