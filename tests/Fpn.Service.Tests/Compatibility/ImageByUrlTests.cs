using System.Net;
using Fpn.Service.Tests.Fetching;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Compatibility;

/// <summary>A URL where a contract has base64: fetched from hosts that are listed, by the same rules for all.</summary>
public sealed class ImageByUrlTests(ImageByUrlTests.Fetching fetching) : IClassFixture<ImageByUrlTests.Fetching>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Path and body of a request of each contract; <c>$</c> stands for the image.</summary>
    public static TheoryData<string, string> Requests => new()
    {
        { "api/function_invocations", """{"image": "$"}""" },
        { "detect", """{"data": "$", "detect": {"*": 0}}""" },
        { "hf/blood-cells", """{"inputs": "$"}""" },
        { "infer/object_detection", """{"image": {"type": "url", "value": "$"}}""" },
        { "predict", """{"instances": [{"content": "$"}]}""" },
        { "v1/detection", """{"image": "$"}""" },
        { "v1/models/blood-cells:predict", """{"instances": [{"b64": "$"}]}""" },
    };

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Detect_UrlOfAListedHost_FindsWhatBase64Finds(string path, string body)
    {
        var url = $"http://127.0.0.1:{fetching.Server.Port}/{path}.jpg?a=1";
        var inline = body.Replace("\"url\"", "\"base64\"", StringComparison.Ordinal);
        var fetched = await FoundAsync(path, body, url);
        Assert.Equal(await FoundAsync(path, inline, ContractCalls.Base64(ContractServices.Sample)), fetched);
        Assert.Contains("RBC", fetched, StringComparison.Ordinal);
        Assert.Single(fetching.Server.Targets, target => target == new Uri(url).PathAndQuery);
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Detect_UrlOfAnotherHost_IsRefusedWithTheReason(string path, string body)
    {
        using var response = await PostAsync(path, body, "http://169.254.169.254/latest/meta-data");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(
            "Fpn:Fetch:Hosts does not list it",
            await response.Content.ReadAsStringAsync(Cancel),
            StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task Detect_UrlThatIsNotAnswered_NamesTheStatus(string path, string body)
    {
        using var response = await PostAsync(path, body, $"http://127.0.0.1:{fetching.Server.Port}/missing");
        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.Contains("status 404", await response.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    /// <summary>The detections of an answer, without what differs from one answer to the next.</summary>
    private async Task<string> FoundAsync(string path, string body, string image)
    {
        using var response = await PostAsync(path, body, image);
        var answer = await response.ReadJsonAsync();
        if (path != "infer/object_detection")
        {
            return answer.GetRawText();
        }

        return string.Join('\n', answer.GetProperty("predictions").EnumerateArray().Select(found => string.Join(
            ' ',
            found.EnumerateObject().Where(member => member.Name != "detection_id").Select(member => member.Value))));
    }

    private async Task<HttpResponseMessage> PostAsync(string path, string body, string image)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Content = new StringContent(
            body.Replace("$", image, StringComparison.Ordinal), null, "application/json");
        request.Headers.Add("x-nuclio-function-name", "fpn-blood-cells");
        return await fetching.Service.Client.SendAsync(request, Cancel);
    }

    /// <summary>A service that fetches from one server.</summary>
    public sealed class Fetching : IAsyncLifetime
    {
        /// <summary>Has the sample at every path but one.</summary>
        internal ImageServer Server { get; private set; } = null!;

        /// <summary>Serves every contract.</summary>
        internal RunningService Service { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Server = await ImageServer.StartAsync(context =>
            {
                if (context.Request.Path == "/missing")
                {
                    context.Response.StatusCode = (int)HttpStatusCode.NotFound;
                    return Task.CompletedTask;
                }

                return context.Response.Body.WriteAsync(ContractServices.Sample).AsTask();
            });
            Service = new RunningService(
                ("Fpn:Compatibility:Served", "all"),
                ("Fpn:Fetch:Hosts", $"127.0.0.1:{Server.Port}"),
                ("Fpn:Fetch:Networks", "127.0.0.1"));
        }

        public async ValueTask DisposeAsync()
        {
            Service.Dispose();
            await Server.DisposeAsync();
        }
    }
}
