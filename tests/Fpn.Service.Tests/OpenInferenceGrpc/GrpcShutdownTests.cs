using System.Diagnostics;
using System.Globalization;
using Fpn.Service.OpenInferenceGrpc;
using Fpn.Testing.Metrics;
using Fpn.Testing.Running;
using Grpc.Core;

namespace Fpn.Service.Tests.OpenInferenceGrpc;

/// <summary>SIGTERM to the real process while a stream is open.</summary>
[Collection(Alone.Collection)]
[Trait("Speed", "slow")]
public sealed class GrpcShutdownTests
{
    private const int Requests = 12;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>
    /// What had been read is answered, then the stream ends with UNAVAILABLE; new calls get UNAVAILABLE meanwhile.
    /// </summary>
    [Fact]
    public async Task Sigterm_OpenStream_AnswersWhatWasReadAndEndsIt()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "SIGTERM is absent on Windows");
        var port = FreePort.Find().ToString(CultureInfo.InvariantCulture);
        using var process = new ServiceProcess(
            [
                $"--Fpn:Models:Path={Checkout.BloodCells}", "--Fpn:Batching:MaxBatchSize=1", $"--Fpn:Grpc:Port={port}",
                "--Fpn:Batching:Deadline=10m", $"--Fpn:Shutdown:Timeout={Timeout.TotalSeconds}s",
            ]);
        using var http = new HttpClient { BaseAddress = await process.WaitForAddressAsync() };
        var address = new Uri($"http://127.0.0.1:{port}");
        using var client = new GrpcClient(address);
        using var stream = client.Stream();
        var picture = await File.ReadAllBytesAsync(Checkout.SampleImage, Cancel);
        for (var i = 0; i < Requests; i++)
        {
            var request = GrpcClient.Request("blood-cells", picture);
            request.Id = i.ToString(CultureInfo.InvariantCulture);
            await stream.RequestStream.WriteAsync(request, Cancel);
        }

        var answers = new List<ModelStreamInferResponse>();
        var reading = ReadAsync(stream, answers);

        // An image that is in flight has no answer yet: those that have, and those in flight, are different ones.
        int before;
        double inFlight;
        do
        {
            lock (answers)
            {
                before = answers.Count;
            }

            var metrics = ScrapedMetrics.Parse(await http.GetStringAsync("metrics", Cancel));
            inFlight = metrics.Value("fpn_requests_in_flight", ("model", "blood-cells"));
        }
        while (before + inFlight < Requests);
        Assert.True(inFlight > 0, "Everything was answered before the test could ask: send more.");

        var started = Stopwatch.GetTimestamp();
        process.SendTerminate();
        await RefuseAsync(address);
        var end = await reading;
        var (code, errors) = await process.WaitForExitAsync();

        Assert.Equal(
            Enumerable.Range(0, Requests),
            answers.Select(answer => int.Parse(answer.InferResponse.Id, CultureInfo.InvariantCulture)).Order());
        Assert.All(answers, answer => Assert.Empty(answer.ErrorMessage));
        Assert.All(answers, answer => Assert.NotEmpty(GrpcClient.Raw<float>(answer.InferResponse, "scores")));
        Assert.Equal(StatusCode.Unavailable, end.StatusCode);
        Assert.Contains("shutting down", end.Status.Detail, StringComparison.Ordinal);
        Assert.Equal("shutting-down", end.Trailers.GetValue("problem-type"));
        Assert.Equal(0, code);
        Assert.Empty(errors);
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, Timeout);
    }

    private static async Task<RpcException> ReadAsync(
        AsyncDuplexStreamingCall<ModelInferRequest, ModelStreamInferResponse> stream,
        List<ModelStreamInferResponse> answers) =>
        await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await stream.ResponseStream.MoveNext(Cancel))
            {
                lock (answers)
                {
                    answers.Add(stream.ResponseStream.Current);
                }
            }
        });

    /// <summary>
    /// Calls over connections of their own until one is refused; the signal takes a moment to arrive.
    /// </summary>
    private static async Task RefuseAsync(Uri address)
    {
        while (true)
        {
            using var late = new GrpcClient(address);
            using var call = late.Call<ServerLiveRequest, ServerLiveResponse>("ServerLive", new());
            try
            {
                await call;
            }
            catch (RpcException refused)
            {
                Assert.Equal(StatusCode.Unavailable, refused.StatusCode);
                return;
            }
        }
    }
}
