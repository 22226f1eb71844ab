using System.Globalization;
using System.Net;
using Fpn.Service.Compatibility.SageMaker;
using Fpn.Testing.Running;
using Microsoft.Extensions.Configuration;

namespace Fpn.Service.Tests.Compatibility;

/// <summary>
/// The service as SageMaker and Vertex AI start it: their arguments and variables switch contracts on.
/// </summary>
[Trait("Speed", "slow")]
public sealed class PlatformStartTests
{
    private const string OneAtATime = "--Fpn:Batching:MaxBatchSize=1";

    private static readonly string Package = Path.Combine(Checkout.Models, "blood-cells");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>SageMaker's own command line, and its folder with the package itself.</summary>
    [Fact]
    public async Task Serve_OnePackage_ServesSageMakerUntilItIsToldToEnd()
    {
        using var process = new ServiceProcess(
            ["serve", OneAtATime, "--Fpn:Shutdown:Delay=60s"],
            ("Fpn__Models__Path", Package), ("Fpn__Models__Default", null));
        using var client = new HttpClient { BaseAddress = await process.WaitForAddressAsync() };
        using (var ping = await client.GetAsync("ping", Cancel))
        {
            Assert.Equal(HttpStatusCode.OK, ping.StatusCode);
        }

        using (var content = new ByteArrayContent(ContractServices.Sample))
        {
            using var answer = await client.PostAsync("invocations", content, Cancel);
            var body = await answer.ReadJsonAsync();
            Assert.Equal("blood-cells", body.GetProperty("model").GetString());
            Assert.NotEmpty(body.Detections());
        }

        process.SendTerminate();
        HttpStatusCode status;
        do
        {
            using var ping = await client.GetAsync("ping", Cancel);
            status = ping.StatusCode;
        }
        while (status == HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        process.SendKill();
    }

    /// <summary>As Vertex AI starts the image: what it says beats what the image was built with.</summary>
    [Fact]
    public async Task Vertex_Variables_SayRoutesPortAndModel()
    {
        var port = FreePort.Find();
        using var process = new ServiceProcess(
            [OneAtATime],
            ("AIP_MODE", "PREDICTION"), ("AIP_HTTP_PORT", port.ToString(CultureInfo.InvariantCulture)),
            ("AIP_HEALTH_ROUTE", "/v1/endpoints/12/deployedModels/34"),
            ("AIP_PREDICT_ROUTE", "/v1/endpoints/12/deployedModels/34:predict"),
            ("AIP_STORAGE_URI", Package), ("Fpn__Models__Path", Checkout.Models), ("Fpn__Models__Default", null));
        Assert.Equal(port, (await process.WaitForAddressAsync()).Port);
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        using var health = await client.GetAsync("v1/endpoints/12/deployedModels/34", Cancel);
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        using var predicted = await client.PostJsonAsync(
            "/v1/endpoints/12/deployedModels/34:predict",
            $$"""{"instances": [{"content": "{{ContractCalls.Base64(ContractServices.Sample)}}"}]}""");
        var prediction = (await predicted.ReadJsonAsync()).GetProperty("predictions")[0];
        Assert.NotEqual(0, prediction.GetProperty("bboxes").GetArrayLength());
        using var models = await client.GetAsync("models", Cancel);
        Assert.Equal(1, (await models.ReadJsonAsync()).GetProperty("models").GetArrayLength());
    }

    /// <summary>For raw predictions, whose body is the image itself.</summary>
    [Fact]
    public async Task Vertex_RoutesOfTheServiceItself_AnswerAsAlways()
    {
        using var process = new ServiceProcess(
            [OneAtATime, $"--Fpn:Models:Path={Checkout.BloodCells}"],
            ("AIP_HEALTH_ROUTE", "/health/ready"), ("AIP_PREDICT_ROUTE", "/detect"));
        using var client = new HttpClient { BaseAddress = await process.WaitForAddressAsync() };
        Assert.Equal("Healthy", await client.GetStringAsync("health/ready", Cancel));
        Assert.NotEmpty((await client.DetectAsync(ContractServices.Sample)).Detections());
        Assert.Contains(
            "\"/detect\"", await client.GetStringAsync("swagger/v1/swagger.json", Cancel), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AIP_STORAGE_URI", "gs://bucket/cells", "'AIP_STORAGE_URI' is 'gs://bucket/cells'", "--artifact-uri")]
    public async Task Start_PlatformAsksForWhatIsNotServed_EndsWithOneLine(
        string variable, string value, params string[] words)
    {
        using var process = new ServiceProcess(
            [$"--Fpn:Models:Path={Checkout.BloodCells}"], ("AIP_MODE", "PREDICTION"), (variable, value));
        var (code, errors) = await process.WaitForExitAsync();
        var line = Assert.Single(errors);
        Assert.Equal(1, code);
        Assert.All(words, word => Assert.Contains(word, line, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(null, null, "http://+:8080")]
    [InlineData("http_ports", "", "http://+:8080")]
    [InlineData("urls", "http://127.0.0.1:0", null)]
    [InlineData("http_ports", "9000", null)]
    [InlineData("Kestrel:Endpoints:Main:Url", "http://127.0.0.1:0", null)]
    public void FindAddress_Serve_IsSageMakersUnlessSettingsSay(string? name, string? value, string? expected)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(name is null ? [] : [KeyValuePair.Create(name, value)]).Build();
        Assert.Equal(expected, new SageMakerPlatform(IsServe: true).FindAddress(configuration));
        Assert.Null(new SageMakerPlatform(IsServe: false).FindAddress(configuration));
    }
}
