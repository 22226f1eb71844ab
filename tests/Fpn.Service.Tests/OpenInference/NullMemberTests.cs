using System.Net;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.OpenInference;

/// <summary>Members that are there and say nothing: older SDKs write out what they leave empty.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class NullMemberTests(ServiceFixture fixture)
{
    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.SampleImage);

    private HttpClient Client => fixture.Service.Client;

    [Theory]
    [InlineData(""", "id": null""")]
    [InlineData(""", "parameters": null""")]
    [InlineData(""", "outputs": null""")]
    [InlineData(""", "id": null, "parameters": null, "outputs": null""")]
    [InlineData(
        """
        , "parameters": {
            "priority": null, "timeout": null, "binary_data_output": null, "labels": null, "own": null }
        """)]
    [InlineData(""", "outputs": [{ "name": "labels", "parameters": null }]""")]
    [InlineData(
        """, "outputs": [{ "name": "labels", "parameters": { "binary_data": null, "classification": null } }]""")]
    public async Task Infer_NullMembers_CountAsAbsent(string more)
    {
        using var response = await Client.PostInferAsync(InferCall.Json([Sample], more));
        var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.StatusCode == HttpStatusCode.OK, body);
        Assert.DoesNotContain("\"id\"", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Infer_NullParametersOfTheInput_CountAsAbsent()
    {
        var json = InferCall.Json([Sample])
            .Replace("\"datatype\"", "\"parameters\": null, \"datatype\"", StringComparison.Ordinal);
        using var response = await Client.PostInferAsync(json);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Infer_NullInputs_AreMissing()
    {
        using var response = await Client.PostInferAsync("""{ "inputs": null }""");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(
            "is missing",
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            StringComparison.Ordinal);
    }
}
