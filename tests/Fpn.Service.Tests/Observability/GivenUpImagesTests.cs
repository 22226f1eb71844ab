using System.Net;
using System.Net.Http.Headers;
using Fpn.Models.Loading;
using Fpn.Service.Tests.OpenInference;
using Fpn.Testing.Fakes;
using Fpn.Testing.Images;
using Fpn.Testing.Metrics;
using Fpn.Testing.Running;
using Microsoft.Extensions.DependencyInjection;

namespace Fpn.Service.Tests.Observability;

/// <summary>Images that are on the device when the rest of their request fails, over HTTP.</summary>
public sealed class GivenUpImagesTests : IDisposable
{
    private readonly FakeDetector _detector = new() { RunsFreely = true };
    private readonly RunningService _service;

    public GivenUpImagesTests()
    {
        _service = new RunningService(
            services => services.AddSingleton<IModelPackages>(new FakePackages(("fake", () => _detector))),
            ("Fpn:Models:Default", "fake"),
            ("Fpn:Batching:MaxBatchSize", "1"));
        _detector.Forget();
        _detector.RunsFreely = false;
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _detector.RunOut();
        _service.Dispose();
    }

    [Fact]
    public async Task Infer_AnotherImageIsNone_IsCountedAsGivenUp()
    {
        var body = InferCall.Json([Pictures.Png(10, 16), "no image"u8.ToArray()]);
        using var response = await _service.Client.PostInferAsync(body, "v2/models/fake/infer");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
        await AssertCountedAsync();
        var requests = ScrapedMetrics.Parse(await _service.Client.GetStringAsync("metrics", Cancel));
        Assert.Equal(1, requests.Value("fpn_requests_total", ("reason", "unsupported-image-format")));
    }

    [Fact]
    public async Task Batch_FormIsCutOff_IsCountedAsGivenUp()
    {
        const string Boundary = "boundary";
        using var body = new ByteArrayContent(
        [
            .. "--boundary\r\nContent-Disposition: form-data; name=\"images\"; filename=\"a.png\"\r\n\r\n"u8,
            .. Pictures.Png(10, 16),
            .. "\r\n--boundary\r\nContent-Disposition: form-data; name=\"images\"; filename=\"b.png\"\r\n\r\ncut"u8,
        ]);
        body.Headers.ContentType = MediaTypeHeaderValue.Parse($"multipart/form-data; boundary={Boundary}");
        using var response = await _service.Client.PostAsync("detect/batch", body, Cancel);
        await ProblemBody.AssertAsync(response, HttpStatusCode.BadRequest, "broken-multipart");
        await AssertCountedAsync();
    }

    /// <summary>The one image that could be run still was when the answer came.</summary>
    private async Task AssertCountedAsync()
    {
        var counted = ScrapedMetrics.Parse(await _service.Client.GetStringAsync("metrics", Cancel));
        Assert.Equal(
            1, counted.Value("fpn_requests_total", ("outcome", "canceled"), ("reason", "request-given-up")));
        Assert.Equal(0, counted.Value("fpn_requests_total", ("reason", "client-closed-request")));
        Assert.Equal(0, counted.Value("fpn_requests_total", ("outcome", "success")));
    }
}
