using System.Net;
using System.Net.Http.Headers;
using Fpn.Service.OpenInferenceGrpc;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Reflection.V1Alpha;

namespace Fpn.Service.Tests.OpenInferenceGrpc;

/// <summary>What the two ports let through, keys, health, reflection, metadata and the repository.</summary>
[Trait("Speed", "slow")]
public sealed class GrpcDoorTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ports_EachServesItsOwnProtocolOnly()
    {
        using var calls = new GrpcCalls();
        using var http = new HttpClient
        {
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        foreach (var path in (string[])["health/ready", "v2", "metrics", "", "nothing"])
        {
            using var answer = await http.GetAsync(new Uri(calls.Address, path), Cancel);
            Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
            Assert.Contains("for gRPC", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        }

        using var content = new ByteArrayContent([0, 0, 0, 0, 0]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        using var wrong = await calls.Service.Client.PostAsync(
            "inference.GRPCInferenceService/ServerLive", content, Cancel);
        Assert.Equal(HttpStatusCode.NotFound, wrong.StatusCode);

        // HTTP paths in gRPC's own clothes.
        using var dressed = new HttpRequestMessage(HttpMethod.Post, new Uri(calls.Address, "detect"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([]),
        };
        dressed.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        using var refused = await http.SendAsync(dressed, Cancel);
        Assert.Equal("12", refused.Headers.GetValues("grpc-status").Single());
    }

    [Fact]
    public async Task Port_Zero_MapsNothing()
    {
        using var service = new RunningService();
        using var content = new ByteArrayContent([0, 0, 0, 0, 0]);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        using var answer = await service.Client.PostAsync("inference.GRPCInferenceService/ServerLive", content, Cancel);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task Keys_AreThoseOfHttp()
    {
        using var file = new KeyFile(
            KeyFile.Entry("alice", KeyFile.Alice),
            KeyFile.Entry("scraper", GuardedService.Scraper, "\"scopes\": [\"metrics\"]"),
            KeyFile.Entry(
                "slow", GuardedService.Slow, "\"scopes\": [\"detect\"], \"requestsPerMinute\": 1, \"burst\": 2"),
            KeyFile.Entry("operator", GuardedService.Operator, "\"scopes\": [\"detect\", \"admin\"]"));
        using var calls = new GrpcCalls(("Fpn:Keys:File", file.Path));
        AsyncUnaryCall<ModelMetadataResponse> Ask(params (string Name, string Value)[] metadata) =>
            calls.Call<ModelMetadataRequest, ModelMetadataResponse>(
                "ModelMetadata", new ModelMetadataRequest { Name = "blood-cells" }, metadata: metadata);

        await GrpcCalls.FailAsync(Ask(), StatusCode.Unauthenticated, "key-missing");
        await GrpcCalls.FailAsync(
            Ask(("x-api-key", "wrong-0123456789abcdef")), StatusCode.Unauthenticated, "key-wrong");
        await GrpcCalls.FailAsync(
            Ask(("x-api-key", GuardedService.Scraper)), StatusCode.PermissionDenied, "scope-missing");
        await Ask(("x-api-key", KeyFile.Alice));
        await Ask(("authorization", $"Bearer {KeyFile.Alice}"));
        await GrpcCalls.FailAsync(
            calls.Infer(
                GrpcCalls.Request("blood-cells", Pictures.Png(16, 16)),
                metadata: [("x-api-key", KeyFile.Alice), ("x-priority", "high")]),
            StatusCode.PermissionDenied,
            "priority-not-allowed");
        await GrpcCalls.FailAsync(
            calls.Call<RepositoryIndexRequest, RepositoryIndexResponse>(
                "RepositoryIndex", new(), metadata: ("x-api-key", KeyFile.Alice)),
            StatusCode.PermissionDenied,
            "scope-missing");
        await GrpcCalls.FailAsync(
            calls.Call<RepositoryIndexRequest, RepositoryIndexResponse>(
                "RepositoryIndex", new(), metadata: ("x-api-key", GuardedService.Operator)),
            StatusCode.PermissionDenied,
            "control-off");

        // Without a key: probes, as /health.
        Assert.True((await calls.Call<ServerLiveRequest, ServerLiveResponse>("ServerLive", new())).Live);
        Assert.True((await calls.Call<ServerReadyRequest, ServerReadyResponse>("ServerReady", new())).Ready);
        var health = await new Health.HealthClient(calls.Invoker).CheckAsync(
            new HealthCheckRequest(), cancellationToken: Cancel);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, health.Status);

        // Two at once, then one a minute: each message of a stream counts.
        using var stream = calls.Stream(metadata: ("x-api-key", GuardedService.Slow));
        var errors = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            await stream.RequestStream.WriteAsync(GrpcCalls.Request("blood-cells", Pictures.Png(16, 16)), Cancel);
            Assert.True(await stream.ResponseStream.MoveNext(Cancel));
            errors.Add(stream.ResponseStream.Current.ErrorMessage);
        }

        Assert.Equal(["", ""], errors[..2]);
        Assert.Contains("more often than it may", errors[2], StringComparison.Ordinal);
        await GrpcCalls.FailAsync(
            Ask(("x-api-key", GuardedService.Slow)), StatusCode.ResourceExhausted, "rate-exceeded");
    }

    [Fact]
    public async Task Metadata_DescribesServerAndModelsAsHttpDoes()
    {
        using var calls = new GrpcCalls();
        var server = await calls.Call<ServerMetadataRequest, ServerMetadataResponse>("ServerMetadata", new());
        Assert.Equal("Fpn.Service", server.Name);
        Assert.Contains("parameters", server.Extensions);
        var model = await calls.Call<ModelMetadataRequest, ModelMetadataResponse>(
            "ModelMetadata", new ModelMetadataRequest { Name = "blood-cells", Version = "1" });
        Assert.Equal(("blood-cells", "onnx_onnxv1"), (model.Name, model.Platform));
        Assert.Equal(["1"], model.Versions);
        Assert.Equal(("image", "BYTES"), (model.Inputs.Single().Name, model.Inputs.Single().Datatype));
        Assert.Equal([-1, 4], model.Outputs[0].Shape);
        Assert.Equal(["boxes", "scores", "labels", "image_index"], model.Outputs.Select(output => output.Name));
        foreach (var (name, version, ready) in
            ((string, string, bool)[])[("blood-cells", "", true), ("blood-cells", "2", false), ("nobody", "", false)])
        {
            var answer = await calls.Call<ModelReadyRequest, ModelReadyResponse>(
                "ModelReady", new ModelReadyRequest { Name = name, Version = version });
            Assert.Equal(ready, answer.Ready);
        }
    }

    [Fact]
    public async Task Health_And_Reflection_NameTheServices()
    {
        using var calls = new GrpcCalls();
        var health = new Health.HealthClient(calls.Invoker);
        var unknown = await Assert.ThrowsAsync<RpcException>(async () => await health.CheckAsync(
            new HealthCheckRequest { Service = "nobody" }, cancellationToken: Cancel));
        Assert.Equal(StatusCode.NotFound, unknown.StatusCode);
        using (var watch = health.Watch(
            new HealthCheckRequest { Service = "inference.GRPCInferenceService" }, cancellationToken: Cancel))
        {
            Assert.True(await watch.ResponseStream.MoveNext(Cancel));
            Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, watch.ResponseStream.Current.Status);
        }

        using var reflection = new ServerReflection.ServerReflectionClient(calls.Invoker)
            .ServerReflectionInfo(cancellationToken: Cancel);
        await reflection.RequestStream.WriteAsync(new ServerReflectionRequest { ListServices = "*" }, Cancel);
        Assert.True(await reflection.ResponseStream.MoveNext(Cancel));
        Assert.Equal(
            [
                "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection", "inference.GRPCInferenceService",
            ],
            reflection.ResponseStream.Current.ListServicesResponse.Service.Select(service => service.Name).Order());
        await reflection.RequestStream.WriteAsync(
            new ServerReflectionRequest { FileContainingSymbol = "inference.GRPCInferenceService" }, Cancel);
        Assert.True(await reflection.ResponseStream.MoveNext(Cancel));
        Assert.NotEmpty(reflection.ResponseStream.Current.FileDescriptorResponse.FileDescriptorProto);
        await reflection.RequestStream.CompleteAsync();
    }

    [Fact]
    public async Task Repository_UnderItsSwitch_UnloadsAndLoads()
    {
        using var file = new KeyFile(
            KeyFile.Entry("operator", GuardedService.Operator, "\"scopes\": [\"detect\", \"admin\"]"));
        using var calls = new GrpcCalls(("Fpn:Keys:File", file.Path), ("Fpn:Control:Enabled", "true"));
        (string, string) key = ("x-api-key", GuardedService.Operator);
        var index = await calls.Call<RepositoryIndexRequest, RepositoryIndexResponse>(
            "RepositoryIndex", new(), metadata: key);
        Assert.Equal(("blood-cells", "1", "READY"),
            (index.Models[0].Name, index.Models[0].Version, index.Models[0].State));
        await calls.Call<RepositoryModelUnloadRequest, RepositoryModelUnloadResponse>(
            "RepositoryModelUnload", new() { ModelName = "blood-cells" }, metadata: key);
        var ready = await calls.Call<RepositoryIndexRequest, RepositoryIndexResponse>(
            "RepositoryIndex", new() { Ready = true }, metadata: key);
        Assert.Empty(ready.Models);
        await calls.Call<RepositoryModelLoadRequest, RepositoryModelLoadResponse>(
            "RepositoryModelLoad", new() { ModelName = "blood-cells" }, metadata: key);
        var answer = await calls.Call<ModelReadyRequest, ModelReadyResponse>(
            "ModelReady", new ModelReadyRequest { Name = "blood-cells" }, metadata: key);
        Assert.True(answer.Ready);
        await GrpcCalls.FailAsync(
            calls.Call<RepositoryModelLoadRequest, RepositoryModelLoadResponse>(
                "RepositoryModelLoad", new() { ModelName = "nobody" }, metadata: key),
            StatusCode.InvalidArgument,
            "model-not-loaded");
        await GrpcCalls.FailAsync(
            calls.Call<RepositoryModelLoadRequest, RepositoryModelLoadResponse>(
                "RepositoryModelLoad",
                new() { ModelName = "blood-cells", Parameters = { { "config", new() { StringParam = "{}" } } } },
                metadata: key),
            StatusCode.InvalidArgument,
            "bad-parameter");
    }
}
