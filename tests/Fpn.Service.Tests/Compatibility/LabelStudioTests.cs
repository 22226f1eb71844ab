using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Fpn.Service.Tests.Fetching;
using Fpn.Testing.Running;
using Microsoft.AspNetCore.Http;

namespace Fpn.Service.Tests.Compatibility;

/// <summary>An ML backend of Label Studio, in the requests that Label Studio sends.</summary>
[Collection(ContractServices.Collection)]
public sealed class LabelStudioTests(ContractServices services)
{
    private const string Backend = "label-studio/blood-cells";

    private const string Config = """
        <View>
          <Image name="image" value="$image"/>
          <RectangleLabels name="label" toName="image">
            <Label value="RBC"/><Label value="WBC"/><Label value="Platelets"/>
          </RectangleLabels>
        </View>
        """;

    private static readonly string Image = $"data:image/jpeg;base64,{ContractCalls.Base64(ContractServices.Sample)}";

    private HttpClient Client => services.Open.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Connect_InLabelStudiosOrder_IsAccepted()
    {
        using var health = await Client.GetAsync($"{Backend}/health", Cancel);
        Assert.Equal("""{"status":"UP","model_class":"blood-cells"}""", (await health.ReadJsonAsync()).GetRawText());
        using var setup = await Client.PostJsonAsync(
            $"{Backend}/setup",
            """{"project": "3.1746612998", "schema": "<View/>", "hostname": "http://localhost", "access_token": ""}""");
        Assert.Equal("""{"model_version":"blood-cells/1"}""", (await setup.ReadJsonAsync()).GetRawText());
        using var webhook = await Client.PostJsonAsync(
            $"{Backend}/webhook", """{"action": "ANNOTATION_CREATED", "project": {"id": 3}}""");
        Assert.Equal("ok", (await webhook.ReadJsonAsync(201)).GetProperty("status").GetString());
    }

    [Fact]
    public async Task Predict_Task_FindsWhatDetectFindsInPercent()
    {
        using var response = await Client.PostJsonAsync($"{Backend}/predict", Body([Image], Config));
        AssertFound(await services.DetectAsync(), Assert.Single(Results(await response.ReadJsonAsync())));
    }

    [Fact]
    [Trait("Speed", "slow")]
    public async Task Predict_MoreTasksThanImagesAtOnce_HasAsManyResults()
    {
        string[] tasks = [.. Enumerable.Repeat(Black(), 65), Image];
        using var response = await Client.PostJsonAsync($"{Backend}/predict", Body(tasks, Config));
        var results = Results(await response.ReadJsonAsync());
        Assert.Equal(66, results.Length);
        AssertFound(await services.DetectAsync(), results[65]);
    }

    [Fact]
    public async Task Predict_ConfigurationBeforeTasks_MapsLabelsAndThreshold()
    {
        const string Mapped = """
            <View>
              <Image name="img" value="$picture"/>
              <RectangleLabels name="boxes" toName="img" model_score_threshold="0.9">
                <Label value="Red" predicted_values="erythrocyte, rbc"/><Label value="wbc"/>
              </RectangleLabels>
            </View>
            """;
        using var response = await Client.PostJsonAsync(
            $"{Backend}/predict",
            $$"""
            {"label_config": {{JsonSerializer.Serialize(Mapped)}},
            "tasks": [{"id": 1, "data": {"text": "x", "picture": "{{Image}}"} }]}
            """);
        var result = Assert.Single(Results(await response.ReadJsonAsync()));
        var expected = (await services.DetectAsync("scoreThreshold=0.9"))
            .Where(found => found.Label is "RBC" or "WBC")
            .Select(found => found with { Label = found.Label == "RBC" ? "Red" : "wbc" });
        AssertFound([.. expected], result, "boxes", "img");
    }

    [Fact]
    public async Task Predict_OnePictureOfTwoFails_HasAnEmptyResultInItsPlace()
    {
        using var response = await Client.PostJsonAsync($"{Backend}/predict", Body(["bm9uZQ==", Image], Config));
        var results = Results(await response.ReadJsonAsync());
        Assert.Equal(2, results.Length);
        Assert.Equal(0, results[0].GetProperty("result").GetArrayLength());
        Assert.Equal(0, results[0].GetProperty("score").GetDouble());
        AssertFound(await services.DetectAsync(), results[1]);
    }

    [Theory]
    [InlineData("/data/upload/3/a.jpg")]
    [InlineData("/data/local-files/?d=a/b.jpg")]
    [Trait("Speed", "slow")]
    public async Task Predict_PictureOnLabelStudio_IsFetchedWithItsToken(string path)
    {
        await using var server = await ImageServer.StartAsync(context =>
        {
            if (context.Request.Headers.Authorization != "Token secret-of-label-studio")
            {
                context.Response.StatusCode = StatusCodes.Status401Unauthorized;
                return Task.CompletedTask;
            }

            return context.Response.Body.WriteAsync(ContractServices.Sample).AsTask();
        });
        var origin = $"http://127.0.0.1:{server.Port}";
        using var service = new RunningService(
            ("Fpn:Compatibility:Served", "label-studio"),
            ("Fpn:Compatibility:LabelStudio:Url", origin),
            ("Fpn:Fetch:Hosts", $"127.0.0.1:{server.Port}"),
            ("Fpn:Fetch:Networks", "127.0.0.1"),
            ("Fpn:Fetch:CredentialsJson", $$"""{ "{{origin}}": "Token secret-of-label-studio" }"""));
        foreach (var image in (string[])[path, origin + path])
        {
            using var response = await service.Client.PostJsonAsync($"{Backend}/predict", Body([image], Config));
            AssertFound(await services.DetectAsync(), Assert.Single(Results(await response.ReadJsonAsync())));
        }

        Assert.Equal([path, path], server.Targets);
    }

    [Theory]
    [InlineData("/data/upload/3/a.jpg", 400, "Fpn:Compatibility:LabelStudio:Url")]
    [InlineData("https://labels.example.com/a.jpg", 400, "Fpn:Fetch:Hosts")]
    [InlineData("s3://bucket/a.jpg", 400, "tasks[0]")]
    [InlineData("not base64", 400, "tasks[0]")]
    [InlineData("bm9uZQ==", 415, "tasks[0]")]
    public async Task Predict_TheOnlyPictureFails_SaysWhy(string image, int status, string words)
    {
        using var response = await Client.PostJsonAsync($"{Backend}/predict", Body([image], Config));
        await AssertErrorAsync(response, status, words);
    }

    [Theory]
    [InlineData("<View><Image name=\"i\" value=\"$image\"/></View>", "RectangleLabels")]
    [InlineData("<View><RectangleLabels name=\"l\" toName=\"i\"/></View>", "must be an Image")]
    [InlineData("<View>", "not valid XML")]
    [InlineData("<!DOCTYPE x [<!ENTITY a \"b\">]><View>&a;</View>", "not valid XML")]
    public async Task Predict_WrongConfiguration_SaysWhatIsMissing(string config, string words)
    {
        using var response = await Client.PostJsonAsync($"{Backend}/predict", Body([Image], config));
        await AssertErrorAsync(response, 400, words);
    }

    [Theory]
    [InlineData("""{"tasks": [], "label_config": "<View/>"}""", 400, "tasks")]
    [InlineData("""{"tasks": [7], "label_config": "<View/>"}""", 400, "tasks[0]")]
    [InlineData("""{"tasks": [{"id": 1, "data": {"image": "AAAA"}}]}""", 400, "label_config")]
    [InlineData("""{"tasks": {""", 400, "not valid JSON")]
    public async Task Predict_WrongBody_IsRefusedInItsForm(string body, int status, string words)
    {
        using var response = await Client.PostJsonAsync($"{Backend}/predict", body);
        await AssertErrorAsync(response, status, words);
    }

    [Fact]
    public async Task Predict_HundredThousandTasks_AreRefusedByTheirNumber()
    {
        using var response = await Client.PostJsonAsync(
            $"{Backend}/predict", Body(Enumerable.Repeat("AAAA", 100_000), Config));
        await AssertErrorAsync(response, 413, "1000 tasks");
    }

    [Fact]
    public async Task Predict_ModelThatIsNotServed_Is404()
    {
        using var response = await Client.PostJsonAsync("label-studio/pets/predict", Body([Image], Config));
        await AssertErrorAsync(response, 404, "pets");
    }

    [Theory]
    [InlineData(KeyFile.Alice, 200)]
    [InlineData(KeyFile.Bob, 401)]
    [InlineData("", 401)]
    public async Task Predict_ServiceWithKeys_TakesThePasswordOfBasic(string password, int status)
    {
        using var content = new StringContent(Body([Image], Config));
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{Backend}/predict") { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"label-studio:{password}")));
        using var response = await services.Guarded.Client.SendAsync(request, Cancel);
        await response.ReadJsonAsync(status);
        using var without = await services.Guarded.Client.GetAsync($"{Backend}/health", Cancel);
        await without.ReadJsonAsync(401);
    }

    private static string Black() => ContractCalls.Base64(Fpn.Testing.Images.MadePng.OnePixel());

    private static string Body(IEnumerable<string> images, string config)
    {
        var tasks = images.Select((image, index) => $$"""{"id": {{index}}, "data": {"image": "{{image}}"} }""");
        return $$"""
            {"tasks": [{{string.Join(',', tasks)}}], "model_version": "blood-cells/1", "project": "3.1746612998",
            "label_config": {{JsonSerializer.Serialize(config)}},
            "params": {"login": null, "password": null, "context": null} }
            """;
    }

    private static JsonElement[] Results(JsonElement answer) =>
        [.. answer.GetProperty("results").EnumerateArray()];

    private static void AssertFound(
        FoundObject[] expected, JsonElement prediction, string from = "label", string to = "image")
    {
        Assert.NotEmpty(expected);
        Assert.Equal("blood-cells/1", prediction.GetProperty("model_version").GetString());
        Assert.Equal(
            expected.Average(found => found.Score), prediction.GetProperty("score").GetDouble(), 0.00001);
        var regions = prediction.GetProperty("result").EnumerateArray().ToArray();
        Assert.Equal(expected.Length, regions.Length);
        foreach (var (wanted, region) in expected.Zip(regions))
        {
            Assert.Equal(
                (from, to, "rectanglelabels"),
                (Text(region, "from_name"), Text(region, "to_name"), Text(region, "type")));
            Assert.Equal(
                (wanted.Width, wanted.Height),
                (region.GetProperty("original_width").GetInt32(), region.GetProperty("original_height").GetInt32()));
            Assert.Equal(wanted.Score, region.GetProperty("score").GetDouble());
            var value = region.GetProperty("value");
            var label = Assert.Single(value.GetProperty("rectanglelabels").EnumerateArray());
            Assert.Equal(wanted.Label, label.GetString());
            var (x, y) = (Pixels("x", wanted.Width), Pixels("y", wanted.Height));
            double[] corners = [x, y, x + Pixels("width", wanted.Width), y + Pixels("height", wanted.Height)];
            Assert.All(wanted.Box.Zip(corners), pair => Assert.Equal(pair.First, pair.Second, 0.0011));

            double Pixels(string side, int whole) => value.GetProperty(side).GetDouble() / 100 * whole;
        }

        static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
    }

    private static async Task AssertErrorAsync(HttpResponseMessage response, int status, string words)
    {
        var error = await response.ReadJsonAsync(status);
        Assert.Contains(words, error.GetProperty("error").GetString(), StringComparison.Ordinal);
    }
}
