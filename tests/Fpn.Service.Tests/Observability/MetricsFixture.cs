using System.Net;
using Fpn.Testing.Images;
using Fpn.Testing.Metrics;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Observability;

/// <summary>A service of its own that has done a little of everything, and a scrape of it.</summary>
public sealed class MetricsFixture : IAsyncLifetime
{
    /// <summary>Images that were answered before the scrape.</summary>
    public const int Answered = 3;

    /// <summary>The service.</summary>
    internal RunningService Service { get; } = new();

    /// <summary>What <c>/metrics</c> said after all that.</summary>
    internal string Text { get; private set; } = string.Empty;

    /// <summary><see cref="Text"/>, read.</summary>
    internal ScrapedMetrics Scraped { get; private set; } = null!;

    /// <summary>Problem types that answered images, as the clients were told.</summary>
    internal IReadOnlyList<string> Refused { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        for (var i = 0; i < Answered; i++)
        {
            await Service.Client.DetectAsync(MadeImages.Read("smear-480x640.jpg"));
        }

        Refused =
        [
            await RefuseAsync([1, 2, 3], HttpStatusCode.UnsupportedMediaType, "unsupported-image-format"),
            await RefuseAsync(MadePng.Header(50_000, 50_000), HttpStatusCode.RequestEntityTooLarge, "too-many-pixels"),
            await RefuseAsync(MadePng.Header(5, 5), HttpStatusCode.UnprocessableEntity, "undecodable-image"),
        ];
        using var unknown = await Service.Client.PostDetectAsync([1, 2, 3], "model=none");
        await ProblemBody.AssertAsync(unknown, HttpStatusCode.NotFound, "unknown-model");

        // The framework counts a request when it is over, which may be a moment after its answer.
        const string Count = "http_server_request_duration_seconds_count";
        do
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            Scraped = await ScrapeAsync();
        }
        while (Scraped.Find(Count, ("http_route", "/detect")).Sum(sample => sample.Value)
            < Answered + Refused.Count + 1);
    }

    /// <summary>Asks <c>/metrics</c> once more.</summary>
    internal async Task<ScrapedMetrics> ScrapeAsync()
    {
        Text = await Service.Client.GetStringAsync("metrics", TestContext.Current.CancellationToken);
        return ScrapedMetrics.Parse(Text);
    }

    public ValueTask DisposeAsync()
    {
        Service.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<string> RefuseAsync(byte[] body, HttpStatusCode status, string type)
    {
        using var response = await Service.Client.PostDetectAsync(body);
        return (await ProblemBody.AssertAsync(response, status, type)).GetProperty("type").GetString()!;
    }
}
