using System.Net;
using System.Text.Json;
using Fpn.Service.Tests.OpenApi;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Compatibility;

/// <summary>Which contracts are served, and what the document says of them.</summary>
[Trait("Speed", "slow")]
[Collection(ContractServices.Collection)]
public sealed class CompatibilityTests(ContractServices services)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Contracts_ByDefault_AreNotServed()
    {
        using var service = new RunningService();
        using var response = await service.Client.GetAsync("v1/models", Cancel);
        await ProblemBody.AssertAsync(response, HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task Contracts_OneIsListed_IsServedAlone()
    {
        using var service = new RunningService(("Fpn:Compatibility:Served", " kserve-v1 "));
        using var response = await service.Client.GetAsync("v1/models", Cancel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(["KServe v1"], await ContractTagsAsync(service));
    }

    [Fact]
    public async Task Document_ContractsOn_ShowsEachInItsGroup() =>
        Assert.Equal(
            [
                "Amazon SageMaker", "CVAT", "DOODS", "DeepStack", "Hugging Face", "KServe v1", "Label Studio",
                "LocalAI", "Roboflow", "Vertex AI",
            ],
            await ContractTagsAsync(services.Open));

    [Fact]
    public async Task Document_ContractsOn_LintsClean()
    {
        DocumentLint.SkipWithoutPrograms();
        var folder = Directory.CreateTempSubdirectory("fpn-openapi-");
        try
        {
            var file = Path.Combine(folder.FullName, "openapi.json");
            await File.WriteAllTextAsync(
                file, await services.Guarded.Client.GetStringAsync("swagger/v1/swagger.json", Cancel), Cancel);
            var (exitCode, output) = await DocumentLint.RunAsync(file);
            Assert.True(exitCode == 0, output);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<string[]> ContractTagsAsync(RunningService service)
    {
        string[] own = ["Detection", "Models", "Open Inference Protocol", "Repository", "Observability"];
        var text = await service.Client.GetStringAsync("swagger/v1/swagger.json", Cancel);
        using var document = JsonDocument.Parse(text);
        return
        [
            .. document.RootElement.GetProperty("tags").EnumerateArray()
                .Where(tag => tag.GetProperty("description").GetString()!.Length > 0)
                .Select(tag => tag.GetProperty("name").GetString()!)
                .Except(own)
                .Order(StringComparer.Ordinal),
        ];
    }
}
