using System.Net.Http.Json;
using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Detect;

/// <summary>What a newcomer gets: the service as run.sh starts it, and the samples.</summary>
[Collection(ShippedServiceFixture.Collection)]
public sealed class ShippedModelsTests(ShippedServiceFixture fixture)
{
    private HttpClient Client => fixture.Service.Client;

    [Fact]
    public async Task Models_OfTheRepository_AreAllServed()
    {
        var list = await Client.GetFromJsonAsync<JsonElement>("models", TestContext.Current.CancellationToken);
        Assert.Equal(
            [("everyday", true, 20), ("blood-cells", false, 3)],
            list.GetProperty("models").EnumerateArray().Select(model => (
                model.GetProperty("name").GetString()!,
                model.GetProperty("isDefault").GetBoolean(),
                model.GetProperty("classes").GetArrayLength())));
        Assert.All(
            list.GetProperty("models").EnumerateArray(),
            model => Assert.All(
                ["description", "license", "source"], key => Assert.NotEmpty(model.GetProperty(key).GetString()!)));
    }

    [Theory]
    [InlineData("astronaut.jpg", "person")]
    [InlineData("cat.jpg", "cat")]
    [InlineData("cameraman.jpg", "person")]
    public async Task Detect_Photograph_FindsWhatAnybodySees(string sample, string label)
    {
        var answer = await Client.DetectAsync(
            await File.ReadAllBytesAsync(Checkout.Sample(sample), TestContext.Current.CancellationToken));
        Assert.Equal("everyday", answer.GetProperty("model").GetString());
        var best = answer.GetProperty("detections")[0];
        Assert.Equal(label, best.GetProperty("label").GetString());
        Assert.InRange(best.GetProperty("score").GetDouble(), 0.85, 1);
    }

    [Fact]
    public async Task Detect_SmearOfTheOtherModel_FindsCells()
    {
        var answer = await Client.DetectAsync(
            await File.ReadAllBytesAsync(Checkout.SampleImage, TestContext.Current.CancellationToken),
            "model=blood-cells");
        Assert.Equal("blood-cells", answer.GetProperty("model").GetString());
        Assert.Equal("RBC", answer.GetProperty("detections")[0].GetProperty("label").GetString());
    }
}
