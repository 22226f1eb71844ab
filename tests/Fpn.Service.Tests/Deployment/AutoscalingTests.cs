using System.Globalization;
using System.Text.Json;
using Fpn.Service.Tests.Observability;
using Fpn.Service.Tests.Running;

namespace Fpn.Service.Tests.Deployment;

/// <summary>What scales the pods: one thing at most, by metrics that there are, with queries that answer in every state.</summary>
public sealed class AutoscalingTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Overlays => [.. Manifests.Overlays];

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Overlay_HasOneAutoscalerOrReplicas(string overlay)
    {
        var objects = await Manifests.OfAsync(overlay);
        var deployment = objects.Single("Deployment");
        var scalers = objects.Where(item => item.Text("kind") is "HorizontalPodAutoscaler" or "ScaledObject").ToArray();
        if (!overlay.Contains('-', StringComparison.Ordinal))
        {
            Assert.Empty(scalers);
            Assert.InRange(deployment.At("spec/replicas").GetInt32(), 2, int.MaxValue);
            return;
        }

        var scaler = Assert.Single(scalers);
        Assert.Equal(overlay.EndsWith("-hpa", StringComparison.Ordinal) ? "HorizontalPodAutoscaler" : "ScaledObject", scaler.Text("kind"));
        Assert.False(deployment.At("spec").TryGetProperty("replicas", out _));
        Assert.Equal(deployment.Text("metadata/name"), scaler.Text("spec/scaleTargetRef/name"));
        Assert.Equal(deployment.Text("kind"), scaler.Text("spec/scaleTargetRef/kind"));
        var (least, most) = scaler.Text("kind") == "ScaledObject" ? ("minReplicaCount", "maxReplicaCount") : ("minReplicas", "maxReplicas");
        Assert.InRange(scaler.At($"spec/{least}").GetInt32(), 2, scaler.At($"spec/{most}").GetInt32());
    }

    [Theory]
    [InlineData("autoscaling-hpa", "autoscaling-keda")]
    [InlineData("autoscaling-keda", "autoscaling-hpa")]
    public async Task Autoscalers_Both_CannotBeBuilt(string first, string second)
    {
        var (exitCode, _, errors) = await Manifests.ComposeAsync(first, second);
        Assert.Equal(1, exitCode);
        Assert.Contains($"components/{second}", errors, StringComparison.Ordinal);
        Assert.Contains("/spec/replicas", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Triggers_OfKeda_AreQueueDepthLatencyAndCpu()
    {
        var triggers = (await Manifests.OfAsync("cpu-keda")).Single("ScaledObject").At("spec/triggers").EnumerateArray().ToArray();
        Assert.Equal(
            ["prometheus queue-depth", "prometheus p95-latency", "cpu"],
            triggers.Select(trigger => trigger.TryGetProperty("name", out var name) ? $"{trigger.Text("type")} {name}" : trigger.Text("type")));

        // The same share of the processor in both overlays.
        Assert.Equal(
            (await Manifests.OfAsync("cpu-hpa")).Single("HorizontalPodAutoscaler").At("spec/metrics/0/resource/target/averageUtilization").GetInt32(),
            int.Parse(triggers[2].Text("metadata/value"), CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("cpu-keda")]
    [InlineData("gpu-keda")]
    public async Task Queries_OfKeda_NameDocumentedMetricsOfThisService(string overlay)
    {
        var objects = await Manifests.OfAsync(overlay);
        var page = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "metrics.md"), Cancel);
        var selector = $"{{namespace=\"{objects.Single("Namespace").Text("metadata/name")}\",job=\"{objects.Single("Service").Text("metadata/name")}\"}}";
        Assert.All(Queries(objects), query =>
        {
            var metric = Assert.Single(Dashboard.MetricsIn(query));
            Assert.Contains($"| `{metric}` |", page, StringComparison.Ordinal);
            Assert.Contains(selector, query, StringComparison.Ordinal);
        });
    }

    /// <summary>By Prometheus itself, since a query that gives nothing, or no number, would leave KEDA without a metric.</summary>
    [Fact]
    public async Task Queries_OfKeda_GiveANumberInEveryState()
    {
        PrometheusTools.Require();
        var queries = Queries(await Manifests.OfAsync("cpu-keda"));
        const string Labels = "namespace=\"fpn-service\",job=\"fpn-service\",model=\"m\",version=\"1\"";
        const string Bucket = $"fpn_request_duration_seconds_bucket{{{Labels}";

        // Two pods, nine images wait; 19 of 20 take 0.25 s at most, the others up to 0.5 s.
        var busy = await EvaluateAsync(
            queries,
            ($"fpn_queue_depth{{{Labels},pod=\"a\"}}", "6x40"),
            ($"fpn_queue_depth{{{Labels},pod=\"b\"}}", "3x40"),
            ($"fpn_queue_depth{{namespace=\"other\",job=\"fpn-service\",pod=\"c\"}}", "100x40"),
            ($"{Bucket},pod=\"a\",le=\"0.1\"}}", "0x40"),
            ($"{Bucket},pod=\"a\",le=\"0.25\"}}", "0+190x40"),
            ($"{Bucket},pod=\"a\",le=\"0.5\"}}", "0+200x40"),
            ($"{Bucket},pod=\"a\",le=\"+Inf\"}}", "0+200x40"));
        Assert.Equal([9, 0.25], busy);

        // Pods without a request: all there is of a quantile is NaN.
        var idle = await EvaluateAsync(
            queries, ($"fpn_queue_depth{{{Labels},pod=\"a\"}}", "0x40"), ($"{Bucket},pod=\"a\",le=\"0.1\"}}", "0x40"), ($"{Bucket},pod=\"a\",le=\"+Inf\"}}", "0x40"));
        Assert.Equal([0, 0], idle);

        // No pod has been scraped yet.
        var unknown = await EvaluateAsync(queries, ("unrelated", "1x40"));
        Assert.Equal([0, 0], unknown);
    }

    private static string[] Queries(IEnumerable<JsonElement> objects)
    {
        var queries = objects.Single("ScaledObject").At("spec/triggers").EnumerateArray()
            .Where(trigger => trigger.Text("type") == "prometheus").Select(trigger => trigger.Text("metadata/query")).ToArray();
        Assert.Equal(2, queries.Length);
        return queries;
    }

    /// <summary>What each query gives after ten minutes.</summary>
    /// <param name="queries">The queries.</param>
    /// <param name="series">Series and their values, every 15 s.</param>
    private static async Task<double[]> EvaluateAsync(string[] queries, params (string Series, string Values)[] series)
    {
        var results = new List<double>();
        foreach (var query in queries)
        {
            // promtool tells a value only where it is not the expected one.
            var test = new
            {
                evaluation_interval = "15s",
                tests = new[]
                {
                    new
                    {
                        interval = "15s",
                        input_series = series.Select(item => new { series = item.Series, values = item.Values }),
                        promql_expr_test = new[] { new { expr = query, eval_time = "10m", exp_samples = new[] { new { labels = "{}", value = -1 } } } },
                    },
                },
            };
            var file = Path.Combine(Path.GetTempPath(), $"fpn-keda-{Guid.NewGuid():N}.json");
            try
            {
                await File.WriteAllTextAsync(file, JsonSerializer.Serialize(test), Cancel);
                var (_, output) = await PrometheusTools.RunPromtoolAsync(string.Empty, "test", "rules", file);
                var got = output.Split('\n').Single(line => line.Trim().StartsWith("got:", StringComparison.Ordinal));
                results.Add(double.Parse(got[(got.LastIndexOf(' ') + 1)..].Trim('"'), CultureInfo.InvariantCulture));
            }
            finally
            {
                File.Delete(file);
            }
        }

        return [.. results];
    }
}
