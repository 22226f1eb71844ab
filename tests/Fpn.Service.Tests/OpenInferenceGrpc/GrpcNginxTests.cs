using Fpn.Service.OpenInferenceGrpc;
using Fpn.Testing.Running;
using Grpc.Core;

namespace Fpn.Service.Tests.OpenInferenceGrpc;

/// <summary>gRPC through a real nginx with docker/nginx.conf.</summary>
[Trait("Speed", "slow")]
public sealed class GrpcNginxTests
{
    private const string Model = "blood-cells";

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
}
