using Fpn.Service.GrpcPort;
using Fpn.Testing.Running;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Microsoft.Extensions.Configuration;

namespace Fpn.Service.Tests.OpenInferenceGrpc;

/// <summary>The port of gRPC joins the addresses that settings name, in each of the ways to name them.</summary>
[Trait("Speed", "slow")]
public sealed class GrpcAddressTests
{
    [Theory]
    [InlineData("urls", "http://127.0.0.1:8080", "http://127.0.0.1:8080;http://127.0.0.1:8001")]
    [InlineData("urls", "http://+:8080", "http://+:8080;http://+:8001")]
    [InlineData("urls", "https://*:8443;http://*:8080", "https://*:8443;http://*:8080;http://*:8001")]
    [InlineData("urls", "https://localhost:8443", "https://localhost:8443;https://localhost:8001")]
    [InlineData("urls", "http://a:1;http://[::1]:1", "http://a:1;http://[::1]:1;http://a:8001;http://[::1]:8001")]
    [InlineData("urls", "http://unix:/tmp/fpn.sock", "http://unix:/tmp/fpn.sock;http://localhost:8001")]
    [InlineData("http_ports", "8080;8081", "http://*:8080;http://*:8081;http://*:8001")]
    [InlineData("https_ports", "8443", "https://*:8443;https://*:8001")]
    [InlineData("other", "", null)]
    public void Add_ToUrlsOrPorts_ListensOnTheSameHosts(string setting, string value, string? urls)
    {
        var configuration = Settings((setting, value));
        GrpcAddresses.Add(configuration, 8001);
        Assert.Equal(urls, configuration["urls"]);
    }

    [Fact]
    public void Add_ToEndpoints_IsAnEndpointOfItsOwn()
    {
        var configuration = Settings(
            ("urls", "http://*:1"), ("Kestrel:Endpoints:Web:Url", "http://127.0.0.1:8080"));
        GrpcAddresses.Add(configuration, 8001);
        Assert.Equal("http://*:1", configuration["urls"]);
        Assert.Equal("http://127.0.0.1:8001", configuration["Kestrel:Endpoints:Grpc0:Url"]);
        Assert.Equal("Http2", configuration["Kestrel:Endpoints:Grpc0:Protocols"]);
    }

    [Fact]
    public void Add_EndpointWithThePort_IsTheOneForGrpc()
    {
        var configuration = Settings(
            ("Kestrel:Endpoints:Web:Url", "http://127.0.0.1:8080"), ("Kestrel:Endpoints:Secure:Url", "https://*:8001"));
        GrpcAddresses.Add(configuration, 8001);
        Assert.Equal("Http2", configuration["Kestrel:Endpoints:Secure:Protocols"]);
        Assert.Equal(2, configuration.GetSection("Kestrel:Endpoints").GetChildren().Count());
    }

    /// <summary>A process as users start it: each way to name addresses leaves HTTP where it was.</summary>
    [Theory]
    [InlineData("--urls=http://127.0.0.1:0")]
    [InlineData("--Kestrel:Endpoints:First:Url=http://127.0.0.1:0")]
    [InlineData("--urls=", "--http_ports=0")]
    public async Task Process_WithGrpc_ServesBothPorts(params string[] arguments)
    {
        var port = FreePort.Find();
        using var process = new ServiceProcess(
            [
                $"--Fpn:Models:Path={Checkout.BloodCells}", $"--Fpn:Grpc:Port={port}", "--Fpn:Batching:TuningBudget=0",
                .. arguments,
            ]);
        var address = await process.WaitForAddressAsync();
        using var http = new HttpClient();
        var ready = new Uri($"http://127.0.0.1:{address.Port}/health/ready");
        Assert.Equal("Healthy", await http.GetStringAsync(ready, TestContext.Current.CancellationToken));
        using var channel = GrpcChannel.ForAddress($"http://127.0.0.1:{port}");
        var health = await new Health.HealthClient(channel).CheckAsync(
            new HealthCheckRequest(), cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, health.Status);
        process.SendTerminate();
        Assert.Equal(0, (await process.WaitForExitAsync()).Code);
    }

    private static IConfigurationRoot Settings(params (string Name, string Value)[] settings) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(settings.ToDictionary(setting => setting.Name, setting => (string?)setting.Value))
            .Build();
}
