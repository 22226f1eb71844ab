using Fpn.Models.Loading;
using Fpn.Service.OpenInferenceGrpc;
using Fpn.Testing.Fakes;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Fpn.Service.Tests.OpenInferenceGrpc;

/// <summary>gRPC through a real nginx with docker/nginx.conf.</summary>
[Trait("Speed", "slow")]
public sealed class GrpcNginxTests
{
    private const string Model = "blood-cells";
    private const int Calls = 640;
    private const int InFlight = 64;
    private const int Channels = 4;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nginx_PassesCallsAndStreams_ButNotTheRepository()
    {
        Assert.SkipWhen(NginxProcess.Absent is not null, NginxProcess.Absent ?? string.Empty);
        using var calls = new GrpcCalls();
        var (http, grpc) = (calls.Service.Address, calls.Address);
        using var nginx = new NginxProcess(http, http, grpc, grpc);
        await nginx.WaitUntilListeningAsync();
        var picture = await File.ReadAllBytesAsync(Checkout.SampleImage, Cancel);
        using var direct = calls.Infer(GrpcCalls.Request(Model, picture));
        var expected = GrpcCalls.Raw<float>(await direct, "boxes");

        calls.GoThrough(nginx.GrpcAddress);
        using (var call = calls.Infer(GrpcCalls.Request(Model, picture), metadata: ("x-request-id", "by-nginx")))
        {
            Assert.Equal(expected.Length, GrpcCalls.Raw<float>(await call, "boxes").Length);
            Assert.Equal("by-nginx", (await call.ResponseHeadersAsync).GetValue("x-request-id"));
        }

        using (var stream = calls.Stream())
        {
            for (var i = 0; i < 3; i++)
            {
                await stream.RequestStream.WriteAsync(GrpcCalls.Request(Model, picture), Cancel);
                Assert.True(await stream.ResponseStream.MoveNext(Cancel));
                Assert.Empty(stream.ResponseStream.Current.ErrorMessage);
            }

            await stream.RequestStream.CompleteAsync();
            Assert.False(await stream.ResponseStream.MoveNext(Cancel));
        }

        await GrpcCalls.FailAsync(
            calls.Infer(GrpcCalls.Request("nobody", picture)), StatusCode.NotFound, "unknown-model");
        using var closed = calls.Call<RepositoryIndexRequest, RepositoryIndexResponse>("RepositoryIndex", new());
        var failure = await Assert.ThrowsAsync<RpcException>(() => closed.ResponseAsync);
        Assert.Equal(StatusCode.Unimplemented, failure.StatusCode);
    }

    /// <summary>
    /// 64 calls in flight over four channels, of a few bytes up to a megabyte, of one to three images. The model's
    /// score is the width of the picture, and no two calls have the same widths: an answer to another call would show.
    /// </summary>
    [Fact]
    public async Task Nginx_ManyCallsAtOnce_EachGetsItsOwnAnswer()
    {
        Assert.SkipWhen(NginxProcess.Absent is not null, NginxProcess.Absent ?? string.Empty);
        var detector = new FakeDetector { RunsFreely = true };
        using var calls = new GrpcCalls(
            services => services.AddSingleton<IModelPackages>(new FakePackages(("fake", () => detector))),
            ("Fpn:Batching:TuningBudget", "0"),
            ("Fpn:Batching:MaxBatchSize", "8"));
        var (http, grpc) = (calls.Service.Address, calls.Address);
        using var nginx = new NginxProcess(http, http, grpc, grpc);
        await nginx.WaitUntilListeningAsync();
        var channels = Enumerable.Range(0, Channels).Select(_ => new GrpcClient(nginx.GrpcAddress)).ToArray();
        var answered = new int[Channels];
        try
        {
            await Parallel.ForAsync(
                0,
                Calls,
                new ParallelOptions { MaxDegreeOfParallelism = InFlight, CancellationToken = Cancel },
                async (i, _) =>
                {
                    int[] widths = [.. Enumerable.Range(0, 1 + (i % 3)).Select(image => 1 + i + (Calls * image))];
                    var request = GrpcClient.Request("fake", [.. widths.Select(width => Pictures.Png(width, 16))]);
                    request.Id = $"call {i}";

                    // Ignored by the service, but carried by nginx.
                    var padding = (i % 5) switch { 0 => 1 << 20, 1 => 40_000, _ => 0 };
                    request.Parameters["padding"] = new InferParameter { StringParam = new string('x', padding) };
                    using var call = channels[i % Channels].Infer(request);
                    var answer = await call;
                    Assert.Equal(request.Id, answer.Id);
                    Assert.Equal(
                        widths.Select(width => (float)width), GrpcClient.Raw<float>(answer, "scores"));
                    Assert.Equal(
                        Enumerable.Range(0, widths.Length).Select(image => (long)image),
                        GrpcClient.Raw<long>(answer, "image_index"));
                    Interlocked.Increment(ref answered[i % Channels]);
                });
        }
        finally
        {
            Array.ForEach(channels, channel => channel.Dispose());
        }

        Assert.All(answered, count => Assert.Equal(Calls / Channels, count));
    }
}
