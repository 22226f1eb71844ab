using Fpn.Service.Lifetime;
using Fpn.Testing.Running;
using Fpn.Tool.Commands;
using Microsoft.Extensions.Configuration;

namespace Fpn.Service.Tests.Lifetime;

[Trait("Speed", "slow")]
public sealed class HealthProbeTests
{
    private static readonly string Service = Path.Combine(AppContext.BaseDirectory, "Fpn.Service.dll");

    [Theory]
    [InlineData("http://+:8080", null, "http://localhost:8080/")]
    [InlineData("http://*:8080", null, "http://localhost:8080/")]
    [InlineData("http://0.0.0.0:80", null, "http://localhost/")]
    [InlineData("http://[::]:9000", null, "http://localhost:9000/")]
    [InlineData("http://127.0.0.1:9000", "8080", "http://127.0.0.1:9000/")]
    [InlineData("https://+:8443;http://+:8081", null, "http://localhost:8081/")]
    [InlineData("http://unix:/run/fpn.sock; http://+:8082", null, "http://localhost:8082/")]
    [InlineData(null, "8083;8084", "http://localhost:8083/")]
    [InlineData("", "8085", "http://localhost:8085/")]
    [InlineData(null, null, "http://localhost:5000/")]
    [InlineData("https://+:8443", "8080", null)]
    public void FindAddress_Settings_IsWhereTheServiceListens(string? urls, string? ports, string? expected)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["urls"] = urls, ["http_ports"] = ports })
            .Build();
        Assert.Equal(expected, HealthProbe.FindAddress(configuration)?.ToString());
    }

    [Fact]
    public async Task Healthcheck_ReadyService_Ends0()
    {
        using var service = new RunningService();
        var (code, printed, errors) = await CheckAsync(service.Address.ToString());
        Assert.Equal((0, "Ready.\n", string.Empty), (code, printed, errors));
    }

    [Fact]
    public async Task Healthcheck_DrainingService_Ends1()
    {
        using var service = new RunningService();
        await ((Drain)service.Services.GetService(typeof(Drain))!).StoppingAsync(TestContext.Current.CancellationToken);
        var (code, printed, _) = await CheckAsync(service.Address.ToString());
        Assert.Equal(1, code);
        Assert.StartsWith("Not ready: 503 ", printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Healthcheck_NoService_Ends1()
    {
        var (code, _, errors) = await CheckAsync($"http://127.0.0.1:{FreePort.Find()}");
        Assert.Equal(1, code);
        Assert.StartsWith(
            "Not ready: ",
            Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost:8080")]
    [InlineData("http://127.0.0.1:99999")]
    [InlineData("http://127.0.0.1:http")]
    [InlineData("http://")]
    [InlineData("http://:8080")]
    [InlineData("http://a b:80")]
    public async Task Healthcheck_WrongAddress_Ends1WithOneLine(string address)
    {
        var (code, output, errors) = await CheckAsync(address);
        Assert.Equal((1, string.Empty), (code, output));
        Assert.StartsWith(
            "Not ready: ",
            Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Healthcheck_UnknownArgument_Ends2()
    {
        var (code, _, errors) = await ProgramRun.RunAsync(
            AppContext.BaseDirectory, "dotnet", Service, HealthProbe.Command, "--port", "8080");
        Assert.Equal(2, code);
        Assert.StartsWith("Unknown argument '--port'.", errors, StringComparison.Ordinal);
    }

    private static Task<(int ExitCode, string Output, string Errors)> CheckAsync(string address) =>
        ProgramRun.RunAsync(AppContext.BaseDirectory, "dotnet", Service, HealthProbe.Command, "--urls", address);
}
