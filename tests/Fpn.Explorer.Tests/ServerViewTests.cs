using System.Globalization;
using Fpn.Testing.Running;
using Microsoft.Playwright;

namespace Fpn.Explorer.Tests;

/// <summary>The server view: cards, batch curve, and figures from <c>/metrics</c>.</summary>
[Collection(ExplorerFixture.Collection)]
public sealed class ServerViewTests(ExplorerFixture fixture)
{
    [Fact]
    public async Task Card_Model_HasWhatTheApiTells()
    {
        await using var explorer = await fixture.OpenAsync();
        await RouteMetricsAsync(explorer, () => Metrics(answered: 0, runs: 0));
        await OpenServerAsync(explorer);
        var card = explorer.Page.Locator(".card");
        await Assertions.Expect(card).ToHaveCountAsync(1);
        foreach (var text in new[] { "blood-cells", "version 1", "MIT", "BCCD", "shorter side to 384 px",
            "at most 640 px", "scores from 0.05, at most 100", "3 classes" })
        {
            await Assertions.Expect(card).ToContainTextAsync(text);
        }

        var curve = await card.Locator(".curve").GetAttributeAsync("aria-label");
        Assert.Matches(@"^1: [\d.]+ pictures a second", curve);
    }

    [Fact]
    public async Task Figures_BetweenTwoReadings_AreWorkedByHand()
    {
        // 100 before; then 20 more in 10 runs: 10 of them within 50 ms, 8 more within 100 ms, 2 more within 250 ms.
        var reading = 0;
        await using var explorer = await fixture.OpenAsync();
        await RouteMetricsAsync(explorer, () => Interlocked.Increment(ref reading) == 1 ? Metrics(100, 100) : Metrics(
            120, 110, 10, 18, 20));
        await OpenServerAsync(explorer);

        // The median is the 10th of 20: the end of the first bucket. The 19th is half-way into the third.
        await Assertions.Expect(Figure(explorer, "Median")).ToHaveTextAsync("50 ms");
        await Assertions.Expect(Figure(explorer, "95 of 100 within")).ToHaveTextAsync("175 ms");
        await Assertions.Expect(Figure(explorer, "99 of 100 within")).ToHaveTextAsync("235 ms");
        await Assertions.Expect(Figure(explorer, "Mean batch")).ToHaveTextAsync("2.0");
        await Assertions.Expect(Figure(explorer, "Waiting")).ToHaveTextAsync("7");
        await Assertions.Expect(Figure(explorer, "Pictures / s")).Not.ToHaveTextAsync("–");
    }

    [Fact]
    public async Task Figures_OfTheService_AreRead()
    {
        using var service = new RunningService(("Fpn:Batching:MaxBatchSize", "1"));
        await using var explorer = await fixture.OpenAsync(service.Address);
        await explorer.UseSampleAsync();
        await OpenServerAsync(explorer);

        // One picture, alone, and nothing since: the latencies are those since the start.
        await Assertions.Expect(Figure(explorer, "Mean batch")).ToHaveTextAsync("1.0");
        await Assertions.Expect(Figure(explorer, "Waiting")).ToHaveTextAsync("0");
        await Assertions.Expect(Figure(explorer, "Pictures / s")).ToHaveTextAsync("0.0");
        foreach (var name in new[] { "Median", "95 of 100 within", "99 of 100 within" })
        {
            await Assertions.Expect(Figure(explorer, name))
                .ToHaveTextAsync(new System.Text.RegularExpressions.Regex(@"^[\d.]+ m?s$"));
        }

        await Assertions.Expect(explorer.Page.Locator(".card"))
            .ToContainTextAsync("At most 1 pictures at once, as set");
    }

    [Fact]
    public async Task Figures_NoMetrics_SaysSo()
    {
        await using var explorer = await fixture.OpenAsync();
        explorer.Expect("status of 404");
        await explorer.Page.RouteAsync("**/metrics", route => route.FulfillAsync(new() { Status = 404 }));
        await OpenServerAsync(explorer);
        await Assertions.Expect(explorer.Page.Locator("p.notice")).ToContainTextAsync("no /metrics");
        await Assertions.Expect(explorer.Page.Locator(".card")).ToHaveCountAsync(1);
    }

    /// <summary>Counts as the service writes them: fpn_request_duration_seconds and what belongs to it.</summary>
    internal static string Metrics(int answered, int runs, int within50 = 0, int within100 = 0, int within250 = 0)
    {
        const string Labels = "model=\"blood-cells\",version=\"1\"";
        return string.Create(CultureInfo.InvariantCulture, $$"""
            # TYPE fpn_request_duration_seconds histogram
            fpn_request_duration_seconds_bucket{{{Labels}},le="0.05"} {{within50}}
            fpn_request_duration_seconds_bucket{{{Labels}},le="0.1"} {{within100}}
            fpn_request_duration_seconds_bucket{{{Labels}},le="0.25"} {{within250}}
            fpn_request_duration_seconds_bucket{{{Labels}},le="+Inf"} {{within250}}
            fpn_request_duration_seconds_count{{{Labels}}} {{answered}}
            fpn_inferences_total{{{Labels}}} {{answered}}
            fpn_executions_total{{{Labels}}} {{runs}}
            fpn_queue_depth{{{Labels}}} 7
            """);
    }

    internal static Task RouteMetricsAsync(ExplorerPage explorer, Func<string> text) =>
        explorer.Page.RouteAsync("**/metrics", route => route.FulfillAsync(
            new() { Status = 200, ContentType = "text/plain; version=0.0.4", Body = text() }));

    internal static Task OpenServerAsync(ExplorerPage explorer) =>
        explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Server", Exact = true }).ClickAsync();

    private static ILocator Figure(ExplorerPage explorer, string name) =>
        explorer.Page.Locator(".figures > div")
            .Filter(new() { Has = explorer.Page.GetByText(name, new() { Exact = true }) }).Locator("dd");
}
