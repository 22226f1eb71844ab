using System.Net;
using Fpn.Detection.Views;
using Fpn.Models.Loading;
using Fpn.Service.Tests.Detect;
using Fpn.Service.Tests.OpenInference;
using Fpn.Testing.Fakes;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Microsoft.Extensions.DependencyInjection;

namespace Fpn.Service.Tests.Views;

/// <summary>What views cost a key, and requests with more of them than the queue has places for, over HTTP. The
/// package looks at each image twice.</summary>
public sealed class ManyImagesTests : IDisposable
{
    /// <summary>Its one detection is not finite.</summary>
    private const int Poisoned = 66;

    private const string Slices = "slice=32&overlap=0&wholeImage=false&flip=false";

    private readonly FakeDetector _detector;
    private readonly KeyFile _keys = new(
        KeyFile.Entry("alice", KeyFile.Alice),
        KeyFile.Entry("bob", KeyFile.Bob, "\"scopes\": [\"detect\"], \"requestsPerMinute\": 1, \"burst\": 2"));

    private readonly RunningService _service;

    public ManyImagesTests()
    {
        using var plain = new FakeDetector();
        _detector = new FakeDetector
        {
            Contract = plain.Contract with { Views = new ViewOptions { Flip = true } },
            RunsFreely = true,
        };
        _detector.PoisonedWidths.Add(Poisoned);
        _service = new RunningService(
            services => services.AddSingleton<IModelPackages>(new FakePackages(("fake", () => _detector))),
            ("Fpn:Batching:TuningBudget", "0"),
            ("Fpn:Batching:MaxBatchSize", "1"),
            ("Fpn:Batching:QueueCapacity", "8"),
            ("Fpn:Compatibility:Served", "all"),
            ("Fpn:Keys:File", _keys.Path));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private HttpClient Client => _service.Client;

    public void Dispose()
    {
        _service.Dispose();
        _keys.Dispose();
    }

    /// <summary>Two views cost the two requests that the key has, also where the image fails afterwards.</summary>
    [Theory]
    [InlineData("detect", 64, HttpStatusCode.OK)]
    [InlineData("detect", Poisoned, HttpStatusCode.InternalServerError)]
    [InlineData("detect/batch", Poisoned, HttpStatusCode.OK)]
    [InlineData("v2/models/fake/infer", 64, HttpStatusCode.OK)]
    [InlineData("v2/models/fake/infer", Poisoned, HttpStatusCode.InternalServerError)]
    [InlineData("v1/models/fake:predict", 64, HttpStatusCode.OK)]
    [InlineData("v1/models/fake:predict", Poisoned, HttpStatusCode.InternalServerError)]
    public async Task Views_OfAnImage_CountAgainstTheRateOfTheKey(string path, int width, HttpStatusCode status)
    {
        var image = Pictures.Png(width, 16);
        Client.DefaultRequestHeaders.Add("X-Api-Key", KeyFile.Bob);
        using var content = path switch
        {
            "detect" => (HttpContent)new ByteArrayContent(image),
            "detect/batch" => BatchRequests.Form([image]),
            "v1/models/fake:predict" => new StringContent($$"""{"instances": [{{InferCall.Base64(image)}}]}"""),
            _ => new StringContent(InferCall.Json([image])),
        };
        using var response = await Client.PostAsync(path, content, Cancel);
        Assert.Equal(status, response.StatusCode);
        using var next = await Client.GetAsync("models", Cancel);
        await ProblemBody.AssertAsync(next, HttpStatusCode.TooManyRequests, "rate-exceeded");

        // Two were paid for, and no third is owed.
        Assert.InRange(next.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
    }

    /// <summary>Five images of eight views each, in a queue of nine places.</summary>
    [Fact]
    public async Task Infer_ImagesWithManyViews_RunInTurns()
    {
        Client.DefaultRequestHeaders.Add("X-Api-Key", KeyFile.Alice);
        var images = Enumerable.Repeat(Pictures.Png(32 * 8, 16), 5).ToArray();
        const string Parameters =
            ", \"parameters\": {\"slice\": \"32\", \"overlap\": 0, \"whole_image\": false, \"flip\": false}";
        using var response = await Client.PostInferAsync(
            InferCall.Json(images, Parameters), "v2/models/fake/infer");
        var answer = await response.ReadInferAsync();
        Assert.Equal(40, answer.Count);
    }

    [Fact]
    public async Task Batch_ImagesWithManyViews_RunInTurns()
    {
        Client.DefaultRequestHeaders.Add("X-Api-Key", KeyFile.Alice);
        var results = await Client.BatchAsync(Enumerable.Repeat(Pictures.Png(32 * 8, 16), 5), Slices);
        Assert.All(results, result => Assert.Equal(8, result.GetProperty("views").GetInt32()));
        Assert.Equal(5, results.Length);
    }
}
