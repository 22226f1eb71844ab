using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Fpn.Service.Tests.Running;

namespace Fpn.Service.Tests.Api;

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
        Assert.Equal((384, 640), (model.GetProperty("input").GetProperty("minSize").GetInt32(), model.GetProperty("input").GetProperty("maxSize").GetInt32()));
        Assert.Equal((0.05, 100), (model.GetProperty("scoreThreshold").GetDouble(), model.GetProperty("maxDetections").GetInt32()));
        Assert.Equal(
            [("RBC", 1), ("WBC", 2), ("Platelets", 3)],
            model.GetProperty("classes").EnumerateArray().Select(item => (item.GetProperty("label").GetString()!, item.GetProperty("classId").GetInt32())));
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
