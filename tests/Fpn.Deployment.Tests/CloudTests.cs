using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests;

/// <summary>deploy/azure-ml, deploy/sagemaker and deploy/vertex-ai: what they say is so of image and service.</summary>
[Collection(ServiceFixture.Collection)]
public sealed partial class CloudTests(ServiceFixture fixture)
{
    private const int Port = 8080;

    private static readonly string Image = Path.Combine(Checkout.Root, "docker", "Dockerfile");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AzureMl_Routes_AreAnsweredByTheServiceAtThePortOfTheImage()
    {
        var routes = (await AzureAsync("deployment.yml")).At("environment/inference_config");
        var client = fixture.Service.Client;
        foreach (var name in (string[])["liveness_route", "readiness_route"])
        {
            Assert.Equal(Port, routes.At($"{name}/port").GetInt32());
            using var answer = await client.GetAsync(routes.Text($"{name}/path").TrimStart('/'), Cancel);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        Assert.Equal(Port, routes.At("scoring_route/port").GetInt32());
        using var image = new ByteArrayContent(await File.ReadAllBytesAsync(Checkout.SampleImage, Cancel));
        using var scored = await client.PostAsync(routes.Text("scoring_route/path").TrimStart('/'), image, Cancel);
        Assert.NotEmpty((await scored.ReadDetectionAsync()).Detections());
        Assert.Contains($"EXPOSE {Port}\n", await File.ReadAllTextAsync(Image, Cancel), StringComparison.Ordinal);
    }

    /// <summary>Azure mounts the folder of a registered model, which keeps its name, below name and version.</summary>
    [Fact]
    public async Task AzureMl_PathOfModels_IsWhereAzureMountsThePackage()
    {
        var deployment = await AzureAsync("deployment.yml");
        var variables = deployment.At("environment_variables");
        Assert.Equal(
            $"/var/azureml-app/azureml-models/{deployment.Text("model/name")}/{deployment.Text("model/version")}",
            variables.Text("Fpn__Models__Path"));
        var package = Path.GetFullPath(Path.Combine(Folder("azure-ml"), deployment.Text("model/path")));
        Assert.Equal(Path.Combine(Checkout.Models, deployment.Text("model/name")), package);
        Assert.Equal(
            (await AzureAsync("endpoint.yml")).Text("name"), deployment.Text("endpoint_name"));
        Assert.InRange(deployment.At("request_settings/request_timeout_ms").GetInt32(), 30_001, 180_000);
    }

    [Fact]
    public async Task SageMaker_Files_AreAboutOneModelThatTheServiceStartsWith()
    {
        var model = Json("sagemaker", "model.json");
        var variant = Json("sagemaker", "endpoint-config.json").At("ProductionVariants/0");
        Assert.Equal(model.Text("ModelName"), variant.Text("ModelName"));

        // SageMaker unpacks the model there, and the last part of its address must be a folder.
        Assert.Equal("/opt/ml/model", model.Text("PrimaryContainer/Environment/Fpn__Models__Path"));
        var address = model.Text("PrimaryContainer/ModelDataSource/S3DataSource/S3Uri");
        Assert.EndsWith("/", address, StringComparison.Ordinal);
        using var process = new ServiceProcess(
            ["serve", "--Fpn:Batching:MaxBatchSize=1"],
            ("Fpn__Models__Path", Path.Combine(Checkout.Models, "blood-cells")), ("Fpn__Models__Default", null));
        using var client = new HttpClient { BaseAddress = await process.WaitForAddressAsync() };
        using var ping = await client.GetAsync("ping", Cancel);
        Assert.Equal(HttpStatusCode.OK, ping.StatusCode);
    }

    /// <summary>Vertex AI turns the flags into variables of the container.</summary>
    [Fact]
    public async Task VertexAi_Flags_AreAnsweredByTheService()
    {
        var flags = Flag().Matches(await File.ReadAllTextAsync(Path.Combine(Folder("vertex-ai"), "upload.sh"), Cancel))
            .ToDictionary(match => match.Groups["name"].Value, match => match.Groups["value"].Value);
        Assert.Equal(Port.ToString(CultureInfo.InvariantCulture), flags["container-ports"]);
        Assert.DoesNotContain("artifact-uri", flags.Keys);
        var port = FreePort.Find();
        using var process = new ServiceProcess(
            [$"--Fpn:Models:Path={Checkout.BloodCells}", "--Fpn:Batching:MaxBatchSize=1"],
            ("AIP_MODE", "PREDICTION"), ("AIP_HTTP_PORT", port.ToString(CultureInfo.InvariantCulture)),
            ("AIP_HEALTH_ROUTE", flags["container-health-route"]),
            ("AIP_PREDICT_ROUTE", flags["container-predict-route"]), ("AIP_STORAGE_URI", string.Empty));
        Assert.Equal(port, (await process.WaitForAddressAsync()).Port);
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        using var health = await client.GetAsync(flags["container-health-route"], Cancel);
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        var image = Convert.ToBase64String(await File.ReadAllBytesAsync(Checkout.SampleImage, Cancel));
        using var content = new StringContent($$"""{"instances": [{"content": "{{image}}"}]}""");
        using var predicted = await client.PostAsync(flags["container-predict-route"], content, Cancel);
        Assert.Equal(HttpStatusCode.OK, predicted.StatusCode);
    }

    private static string Folder(string platform) => Path.Combine(Checkout.Root, "deploy", platform);

    private static Task<JsonElement> AzureAsync(string file) =>
        Manifests.ReadYamlAsync(Path.Combine(Folder("azure-ml"), file));

    private static JsonElement Json(string platform, string file) =>
        JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder(platform), file))).RootElement;

    [GeneratedRegex("^  --(?<name>[a-z-]+)=\"?(?<value>[^\"\\s]+)", RegexOptions.Multiline)]
    private static partial Regex Flag();
}
