using System.Globalization;
using System.Text.Json;
using Fpn.Testing.Metrics;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Observability;

/// <summary>A real Prometheus that scrapes two real services for a minute, with the files that are shipped.</summary>
[Trait("Speed", "slow")]
public sealed class PrometheusTests
{
    private const double Minute = 60;

    /// <summary>Between images: a light load.</summary>
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(400);

    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.SampleImage);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Prometheus_ScrapesTwoInstancesForAMinute_AnswersTheDashboardAndTheAlerts()
    {
        PrometheusTools.Require();

        // Their lines are not read meanwhile: with one for each request the pipe would fill.
        string[] arguments = [$"--Fpn:Models:Path={Checkout.BloodCells}", "--Serilog:MinimumLevel:Default=Warning"];
        using var first = new ServiceProcess(arguments);
        using var second = new ServiceProcess(arguments);
        using var a = new HttpClient { BaseAddress = await first.WaitForAddressAsync() };
        using var b = new HttpClient { BaseAddress = await second.WaitForAddressAsync() };
        string[] instances = [a.BaseAddress.Authority, b.BaseAddress.Authority];

        var shipped = await File.ReadAllTextAsync(Path.Combine(Dashboard.PrometheusFolder, "prometheus.yml"), Cancel);
        var config = ModelFolder.Edit(
            ModelFolder.Edit(shipped, "15s", "5s"),
            "\"localhost:8080\", \"localhost:8081\"",
            string.Join(", ", instances.Select(instance => $"\"{instance}\"")));
        using var prometheus = new PrometheusProcess(("prometheus.yml", config), ("alerts.yml", Dashboard.Alerts));
        using var api = await prometheus.ConnectAsync();

        var answered = await LoadForAMinuteAsync(api, a, b);
        await AssertScrapedAsync(api, instances);
        foreach (var (panel, query) in Dashboard.Queries)
        {
            var series = await PrometheusProcess.QueryAsync(api, Dashboard.Substitute(query));
            Assert.True(series.Any(one => double.IsFinite(Value(one))), $"Panel '{panel}' is empty: {query}");
        }

        foreach (var (name, selector, label) in Dashboard.Variables)
        {
            var values = await ValuesAsync(api, Dashboard.Substitute(selector), label);
            var expected = name switch { "job" => ["fpn-service"], "instance" => instances, _ => ["blood-cells"] };
            Assert.Equal(expected.Order(StringComparer.Ordinal), values.Order(StringComparer.Ordinal));
        }

        await AssertRulesAsync(api);

        // What Prometheus has is what was answered, once it has scraped the last answers.
        const string Answers = """sum(fpn_requests_total{job="fpn-service", outcome="success"})""";
        await UntilAsync(async () => Value((await PrometheusProcess.QueryAsync(api, Answers))[0]) >= answered);
        Assert.Equal(answered, Value((await PrometheusProcess.QueryAsync(api, Answers))[0]));
        const string MeanBatch = "sum(fpn_inferences_total) / sum(fpn_executions_total)";
        Assert.Equal(1, Value((await PrometheusProcess.QueryAsync(api, MeanBatch))[0]));
    }

    /// <summary>Sends images to both until Prometheus has a minute of each.</summary>
    /// <returns>Images that were answered with detections.</returns>
    private static async Task<int> LoadForAMinuteAsync(HttpClient api, HttpClient a, HttpClient b)
    {
        var answered = 0;
        using var pace = new PeriodicTimer(Pace);
        await UntilAsync(async () =>
        {
            await pace.WaitForNextTickAsync(Cancel);
            foreach (var client in new[] { a, b })
            {
                await client.DetectAsync(Sample);
                answered++;
                using var refused = await client.PostDetectAsync([1, 2, 3]);
                Assert.Equal(415, (int)refused.StatusCode);
            }

            var up = await UpAsync(api);
            return up.Length == 2 && up.All(samples => samples[^1].Time - samples[0].Time >= Minute);
        });
        return answered;
    }

    private static async Task AssertScrapedAsync(HttpClient api, string[] instances)
    {
        Assert.All(await UpAsync(api), samples => Assert.All(samples, sample => Assert.Equal(1, sample.Value)));
        var answer = await PrometheusProcess.GetAsync(api, "targets?state=active");
        var targets = answer.GetProperty("activeTargets").EnumerateArray().ToArray();
        Assert.Equal(
            instances.Order(StringComparer.Ordinal),
            targets.Select(target => Text(target.GetProperty("labels"), "instance")).Order(StringComparer.Ordinal));
        Assert.All(
            targets, target => Assert.Equal(("up", string.Empty), (Text(target, "health"), Text(target, "lastError"))));
    }

    /// <summary>Every alert was evaluated without an error, and none complains of two healthy services.</summary>
    private static async Task AssertRulesAsync(HttpClient api)
    {
        var rules = (await PrometheusProcess.GetAsync(api, "rules")).GetProperty("groups").EnumerateArray()
            .SelectMany(group => group.GetProperty("rules").EnumerateArray()).ToArray();
        Assert.Equal(Dashboard.Alerts.Split("- alert:").Length - 1, rules.Length);
        Assert.All(
            rules, rule => Assert.True((Text(rule, "health"), Text(rule, "state")) == ("ok", "inactive"), $"{rule}"));
    }

    private static async Task<(double Time, double Value)[][]> UpAsync(HttpClient api) =>
    [
        .. (await PrometheusProcess.QueryAsync(api, """up{job="fpn-service"}[10m]"""))
            .Select(series => series.GetProperty("values").EnumerateArray().Select(Pair).ToArray()),
    ];

    private static async Task<string[]> ValuesAsync(HttpClient api, string selector, string label)
    {
        var values = await PrometheusProcess.GetAsync(
            api, $"label/{label}/values?match[]={Uri.EscapeDataString(selector)}");
        return [.. values.EnumerateArray().Select(value => value.GetString()!)];
    }

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static double Value(JsonElement series) => Pair(series.GetProperty("value")).Value;

    private static (double Time, double Value) Pair(JsonElement pair) =>
        (pair[0].GetDouble(), double.Parse(pair[1].GetString()!, CultureInfo.InvariantCulture));

    /// <summary>Asks again and again; fails after five minutes.</summary>
    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(TimeSpan.FromMinutes(5));
        while (!await condition())
        {
            patience.Token.ThrowIfCancellationRequested();
        }
    }
}
