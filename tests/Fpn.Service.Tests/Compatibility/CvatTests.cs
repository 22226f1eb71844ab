using System.Globalization;
using System.Text.Json;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Compatibility;

/// <summary>CVAT's requests to the dashboard of Nuclio, as CVAT sends them and reads the answers.</summary>
[Trait("Speed", "slow")]
[Collection(ContractServices.Collection)]
public sealed class CvatTests(ContractServices services)
{
    private const string Function = "fpn-blood-cells";

    private static readonly string Image = ContractCalls.Base64(ContractServices.Sample);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Functions_Listed_AreWhatCvatReads()
    {
        using var list = await services.Open.Client.GetAsync("api/functions", Cancel);
        var entry = Assert.Single((await list.ReadJsonAsync()).EnumerateObject());
        Assert.Equal(Function, entry.Name);
        var function = entry.Value;
        Assert.Equal(Function, function.GetProperty("metadata").GetProperty("name").GetString());
        var annotations = function.GetProperty("metadata").GetProperty("annotations");
        Assert.Equal("detector", annotations.GetProperty("type").GetString());
        Assert.Equal("blood-cells", annotations.GetProperty("name").GetString());
        Assert.Equal("fpn", annotations.GetProperty("framework").GetString());
        Assert.Equal("1", annotations.GetProperty("version").GetString());
        Assert.Equal(
            """
            [{"id":1,"name":"RBC","type":"rectangle"},{"id":2,"name":"WBC","type":"rectangle"},
            {"id":3,"name":"Platelets","type":"rectangle"}]
            """.ReplaceLineEndings(string.Empty),
            annotations.GetProperty("spec").GetString());
        Assert.NotEqual(string.Empty, function.GetProperty("spec").GetProperty("description").GetString());
        Assert.Equal("ready", function.GetProperty("status").GetProperty("state").GetString());
        Assert.Equal(services.Open.Address.Port, function.GetProperty("status").GetProperty("httpPort").GetInt32());

        using var single = await services.Open.Client.GetAsync($"api/functions/{Function}", Cancel);
        Assert.Equal(function.GetRawText(), (await single.ReadJsonAsync()).GetRawText());
    }

    /// <summary>CVAT leaves out a function that repeats a label, or whose version is not a whole number.</summary>
    [Fact]
    public async Task Functions_ModelWithRepeatedLabelsAndDottedVersion_AreReadable()
    {
        using var models = new ModelFolder();
        models.Add(manifest: text => ModelFolder.Edit(
            ModelFolder.Edit(text, "\"RBC\", \"WBC\", \"Platelets\"", "\"N/A\", \"WBC\", \"N/A\""),
            "\"version\": \"1\"",
            "\"version\": \"1.2\""));
        using var service = new RunningService(
            ("Fpn:Compatibility:Served", "cvat"), ("Fpn:Models:Path", models.Path));
        using var response = await service.Client.GetAsync($"api/functions/{Function}", Cancel);
        var annotations = (await response.ReadJsonAsync()).GetProperty("metadata").GetProperty("annotations");
        Assert.Equal(
            """[{"id":1,"name":"N/A","type":"rectangle"},{"id":2,"name":"WBC","type":"rectangle"}]""",
            annotations.GetProperty("spec").GetString());
        Assert.False(annotations.TryGetProperty("version", out _));
    }

    [Theory]
    [InlineData("""{"image": "$", "threshold": 0.9}""", "scoreThreshold=0.9")]
    [InlineData("""{"threshold": 0, "image": "$"}""", "")]
    [InlineData("""{"image": "$", "threshold": null}""", "")]
    [InlineData("""{"image": "$"}""", "")]
    public async Task Invoke_AsCvatDoes_FindsWhatDetectFinds(string body, string query)
    {
        using var response = await InvokeAsync(
            services.Open, body.Replace("$", Image, StringComparison.Ordinal));
        AssertAnnotations(await services.DetectAsync(query), await response.ReadJsonAsync());
    }

    [Theory]
    [InlineData("""{"image": "no base64!"}""", 400, "image: Is not base64")]
    [InlineData("""{"image": ""}""", 400, "image: Is empty.")]
    [InlineData("""{"image": 7}""", 400, "image: Must be a string")]
    [InlineData("""{"image": null}""", 400, "image: Must be a string")]
    [InlineData("""{"image": "AAAA", "image": "AAAA"}""", 400, "image: Is given twice.")]
    [InlineData("""{"threshold": 0.5}""", 400, "image: Is missing")]
    [InlineData("""{"image": "AAAA", "threshold": 50}""", 400, "'50' is not a number from 0 to 1")]
    [InlineData("""{"image": "AAAA", "threshold": "0.5"}""", 400, "threshold")]
    [InlineData("""{"image": "bm90IGFuIGltYWdl"}""", 415, "image")]
    [InlineData("""["image"]""", 400, "JSON object")]
    [InlineData("""{"image": """, 400, "not valid JSON")]
    [InlineData("", 400, "not valid JSON")]
    public async Task Invoke_WrongBody_IsRefusedWithItsReason(string body, int status, string words)
    {
        using var response = await InvokeAsync(services.Open, body);
        await response.AssertErrorAsync(status, words);
    }

    [Fact]
    public async Task Invoke_HundredThousandImages_AreRefused()
    {
        var images = string.Join(',', Enumerable.Repeat("\"AAAA\"", 100_000));
        using var response = await InvokeAsync(services.Open, $$"""{"image": [{{images}}]}""");
        await response.AssertErrorAsync(400, "image: Must be a string");
    }

    [Fact]
    public async Task Invoke_DeepJson_IsRefused()
    {
        var body = $$"""{"states": {{new string('[', 100_000)}}{{new string(']', 100_000)}}, "image": "AAAA"}""";
        using var response = await InvokeAsync(services.Open, body);
        await response.AssertErrorAsync(400, "not valid JSON");
    }

    [Fact]
    public async Task Invoke_Picture_Is415()
    {
        using var response = await InvokeAsync(services.Open, "x", contentType: "image/jpeg");
        await response.AssertErrorAsync(415, "must be JSON");
    }

    [Theory]
    [InlineData(null, 400, "x-nuclio-function-name")]
    [InlineData("fpn-pets", 404, "blood-cells")]
    public async Task Invoke_FunctionThatIsNotThere_IsRefused(string? function, int status, string words)
    {
        using var response = await InvokeAsync(services.Open, $$"""{"image": "{{Image}}"}""", function);
        await response.AssertErrorAsync(status, words);
    }

    [Fact]
    public async Task Function_ThatIsNotThere_Is404()
    {
        using var response = await services.Open.Client.GetAsync("api/functions/fpn-pets", Cancel);
        await response.AssertErrorAsync(404, "blood-cells");
    }

    [Theory]
    [InlineData(null, 401, "X-Api-Key")]
    [InlineData("wrong-key", 401, "not valid")]
    [InlineData(KeyFile.Alice, 200, null)]
    public async Task Keys_NoTrustedNetworks_AreAskedFor(string? key, int status, string? words)
    {
        using var invocation = await InvokeAsync(
            services.Guarded, $$"""{"image": "{{Image}}"}""", more: ("X-Api-Key", key));
        using var request = new HttpRequestMessage(HttpMethod.Get, "api/functions");
        request.Headers.Add("X-Api-Key", key is null ? [] : [key]);
        using var list = await services.Guarded.Client.SendAsync(request, Cancel);
        if (words is null)
        {
            await invocation.ReadJsonAsync(status);
            await list.ReadJsonAsync(status);
        }
        else
        {
            await invocation.AssertErrorAsync(status, words);
            await list.AssertErrorAsync(status, words);
        }
    }

    /// <summary>CVAT sends no key; where it runs decides, and a proxy that is believed says where that is.</summary>
    [Fact]
    public async Task Keys_TrustedNetworks_NeedNone()
    {
        using var keys = new KeyFile(KeyFile.Entry("alice", KeyFile.Alice));
        using var service = new RunningService(
            ("Fpn:Compatibility:Served", "cvat"),
            ("Fpn:Compatibility:Cvat:Networks", "172.18.0.7, 10.9.0.0/16"),
            ("Fpn:Proxies:Trusted", "127.0.0.1, ::1"),
            ("Fpn:Keys:File", keys.Path));
        var body = $$"""{"image": "{{Image}}"}""";
        foreach (var address in (string[])["10.9.200.1", "172.18.0.7"])
        {
            using var trusted = await InvokeAsync(service, body, more: ("X-Forwarded-For", address));
            AssertAnnotations(await services.DetectAsync(), await trusted.ReadJsonAsync());
        }

        foreach (var address in (string[])["10.10.0.1", "172.18.0.8"])
        {
            using var stranger = await InvokeAsync(service, body, more: ("X-Forwarded-For", address));
            await stranger.AssertErrorAsync(401, "X-Api-Key");
        }

        // A wrong key is refused wherever it comes from, and other paths trust no network.
        using var request = new HttpRequestMessage(HttpMethod.Get, "api/functions");
        request.Headers.Add("X-Forwarded-For", "10.9.200.1");
        request.Headers.Add("X-Api-Key", "wrong-key");
        using var wrong = await service.Client.SendAsync(request, Cancel);
        await wrong.AssertErrorAsync(401, "not valid");
        using var other = new HttpRequestMessage(HttpMethod.Get, "models");
        other.Headers.Add("X-Forwarded-For", "10.9.200.1");
        using var refused = await service.Client.SendAsync(other, Cancel);
        Assert.Equal(401, (int)refused.StatusCode);
    }

    private static async Task<HttpResponseMessage> InvokeAsync(
        RunningService service,
        string body,
        string? function = Function,
        string contentType = "application/json",
        (string Name, string? Value) more = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "api/function_invocations");
        request.Content = new StringContent(body);
        request.Content.Headers.Remove("Content-Type");
        request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        (string Name, string? Value)[] headers =
        [
            ("x-nuclio-project-name", "cvat"), ("x-nuclio-function-namespace", "nuclio"),
            ("x-nuclio-invoke-via", "domain-name"), ("X-Nuclio-Invoke-Timeout", "120s"), ("x-nuclio-path", "/"),
            ("x-nuclio-function-name", function), more,
        ];
        foreach (var (name, value) in headers)
        {
            if (value is not null)
            {
                request.Headers.Add(name, value);
            }
        }

        return await service.Client.SendAsync(request, Cancel);
    }

    private static void AssertAnnotations(FoundObject[] expected, JsonElement answer)
    {
        Assert.NotEmpty(expected);
        Assert.Equal(
            expected.Select(found =>
                (found.Label, found.Score, string.Join(' ', found.Box), Type: "rectangle", Attributes: 0)),
            answer.EnumerateArray().Select(annotation => (
                annotation.GetProperty("label").GetString()!,
                double.Parse(annotation.GetProperty("confidence").GetString()!, CultureInfo.InvariantCulture),
                string.Join(' ', annotation.GetProperty("points").EnumerateArray().Select(side => side.GetDouble())),
                annotation.GetProperty("type").GetString()!,
                annotation.GetProperty("attributes").GetArrayLength())));
    }
}
