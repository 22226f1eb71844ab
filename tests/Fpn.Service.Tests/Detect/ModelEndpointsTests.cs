using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Fpn.Testing.Metrics;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Detect;

/// <summary><c>/models</c> says what is served.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class ModelEndpointsTests(ServiceFixture fixture)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Models_Get_DescribesTheDefaultModelFirst()
    {
        var list = await fixture.Service.Client.GetFromJsonAsync<JsonElement>("models", Cancel);
        var model = list.GetProperty("models")[0];
        Assert.Equal("blood-cells", model.GetProperty("name").GetString());
        Assert.True(model.GetProperty("isDefault").GetBoolean());
        Assert.Equal("two-stage", model.GetProperty("layout").GetString());
        Assert.Equal("torchvision", model.GetProperty("convention").GetString());
        Assert.Equal(
            (384, 640),
            (
                model.GetProperty("input").GetProperty("minSize").GetInt32(),
                model.GetProperty("input").GetProperty("maxSize").GetInt32()));
        Assert.Equal(
            (0.05, 100),
            (model.GetProperty("scoreThreshold").GetDouble(), model.GetProperty("maxDetections").GetInt32()));
        Assert.Equal(
            [("RBC", 1), ("WBC", 2), ("Platelets", 3)],
            model.GetProperty("classes").EnumerateArray()
                .Select(item => (item.GetProperty("label").GetString()!, item.GetProperty("classId").GetInt32())));
    }

    [Fact]
    public async Task Model_Get_SaysWhatItRunsOnAndWhy()
    {
        using var service = new RunningService(("Fpn:Execution:Provider", "cpu"));
        var model = await service.Client.GetFromJsonAsync<JsonElement>("models/blood-cells", Cancel);

        var execution = model.GetProperty("execution");
        Assert.Equal("cpu", execution.GetProperty("provider").GetString());
        Assert.StartsWith("CPU, ", execution.GetProperty("device").GetString(), StringComparison.Ordinal);
        Assert.Equal("setting 'Fpn:Execution:Provider' is 'cpu'", execution.GetProperty("reason").GetString());
        Assert.False(model.GetProperty("batching").GetProperty("fixedShapes").GetBoolean());

        using var request = new HttpRequestMessage(HttpMethod.Get, "health/ready");
        request.Headers.Accept.ParseAdd("application/json");
        using var ready = await service.Client.SendAsync(request, Cancel);
        var health = await ready.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        Assert.Equal("Healthy", health.GetProperty("status").GetString());
        Assert.True(JsonElement.DeepEquals(
            execution, health.GetProperty("checks").GetProperty("models").GetProperty("data")));
        Assert.Equal("Healthy", await service.Client.GetStringAsync("health/ready", Cancel));

        var metrics = ScrapedMetrics.Parse(await service.Client.GetStringAsync("metrics", Cancel));
        Assert.Equal(1, metrics.Value(
            "fpn_device_info",
            ("provider", "cpu"),
            ("device", execution.GetProperty("device").GetString()!),
            ("reason", execution.GetProperty("reason").GetString()!)));
        Assert.Single(
            service.Log.All,
            line => line.Contains("Graphs run on cpu (CPU, ", StringComparison.Ordinal)
                && line.Contains("setting 'Fpn:Execution:Provider' is 'cpu'", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Model_Get_IsTheSameAsInTheList()
    {
        var list = await fixture.Service.Client.GetFromJsonAsync<JsonElement>("models", Cancel);
        var model = await fixture.Service.Client.GetFromJsonAsync<JsonElement>("models/blood-cells", Cancel);
        Assert.Equal(list.GetProperty("models")[0].GetRawText(), model.GetRawText());
    }

    [Fact]
    public async Task Model_Unknown_Is404ThatListsTheKnown()
    {
        using var response = await fixture.Service.Client.GetAsync("models/cells", Cancel);
        var body = await ProblemBody.AssertAsync(response, HttpStatusCode.NotFound, "unknown-model");
        Assert.Contains("blood-cells", body.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }
}
