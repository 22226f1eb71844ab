using System.Globalization;
using System.Text.Json;
using Fpn.Testing.Metrics;
using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests;

/// <summary>What scales the pods: one thing at most, by metrics that there are, which always have a value.</summary>
public sealed class AutoscalingTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("cpu")]
    [InlineData("gpu")]
    public async Task Overlay_WithoutAutoscaler_NamesItsReplicas(string overlay)
    {
        var objects = await Manifests.OfAsync(overlay);
        Assert.Empty(Scalers(objects));
        Assert.InRange(objects.Single("Deployment").At("spec/replicas").GetInt32(), 2, int.MaxValue);
    }

    [Theory]
    [InlineData("cpu-hpa", "HorizontalPodAutoscaler", "Replicas")]
    [InlineData("cpu-keda", "ScaledObject", "ReplicaCount")]
    [InlineData("gpu-keda", "ScaledObject", "ReplicaCount")]
    public async Task Overlay_WithAutoscaler_HasOneAndLeavesReplicasToIt(string overlay, string kind, string count)
    {
        var objects = await Manifests.OfAsync(overlay);
        var scaler = Assert.Single(Scalers(objects));
        Assert.Equal(kind, scaler.Text("kind"));
        Assert.InRange(scaler.At($"spec/min{count}").GetInt32(), 2, scaler.At($"spec/max{count}").GetInt32());
        var deployment = objects.Single("Deployment");
        Assert.False(deployment.At("spec").TryGetProperty("replicas", out _));
        Assert.Equal(deployment.Text("metadata/name"), scaler.Text("spec/scaleTargetRef/name"));
        Assert.Equal(deployment.Text("kind"), scaler.Text("spec/scaleTargetRef/kind"));
    }

    [Theory]
    [InlineData("autoscaling-hpa", "autoscaling-keda")]
    [InlineData("autoscaling-keda", "autoscaling-hpa")]
    public async Task Autoscalers_Both_CannotBeBuilt(string first, string second)
    {
        var (objects, errors) = await Manifests.ComposeAsync(first, second);
        Assert.Empty(objects);
        Assert.Contains($"components/{second}", errors, StringComparison.Ordinal);
        Assert.Contains("/spec/replicas", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Triggers_OfKeda_AreQueueDepthLatencyAndCpu()
    {
        var scaler = (await Manifests.OfAsync("cpu-keda")).Single("ScaledObject");
        var triggers = scaler.At("spec/triggers").EnumerateArray().ToArray();
        Assert.Equal(["prometheus", "prometheus", "cpu"], triggers.Select(trigger => trigger.Text("type")));
        Assert.Equal(["queue-depth", "p95-latency"], triggers[..2].Select(trigger => trigger.Text("name")));

        // A sum grows with the pods and is divided among them; a quantile does not.
        Assert.Equal(["AverageValue", "Value"], triggers[..2].Select(trigger => trigger.Text("metricType")));

        // The same share of the processor with either autoscaler.
        var other = (await Manifests.OfAsync("cpu-hpa")).Single("HorizontalPodAutoscaler");
        Assert.Equal(
            other.At("spec/metrics/0/resource/target/averageUtilization").GetInt32(),
            int.Parse(triggers[2].Text("metadata/value"), CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("cpu-keda")]
    [InlineData("gpu-keda")]
    public async Task Queries_OfKeda_NameDocumentedMetricsOfThisService(string overlay)
    {
        var objects = await Manifests.OfAsync(overlay);
        var page = await File.ReadAllTextAsync(Path.Combine(Checkout.Root, "docs", "metrics.md"), Cancel);
        var space = objects.Single("Namespace").Text("metadata/name");
        var job = objects.Single("Service").Text("metadata/name");
        Assert.All(Queries(objects), query =>
        {
            var metric = Assert.Single(Dashboard.MetricsIn(query));
            Assert.Contains($"| `{metric}` |", page, StringComparison.Ordinal);
            Assert.Contains($"{{namespace=\"{space}\",job=\"{job}\"}}", query, StringComparison.Ordinal);
        });
    }

    /// <summary>By Prometheus itself: a query that gave nothing, or NaN, would leave KEDA without a metric.</summary>
    [Fact]
    public async Task Queries_OfKeda_GiveANumberInEveryState()
    {
        PrometheusTools.Require();
        var queries = Queries(await Manifests.OfAsync("cpu-keda"));
        const string Labels = "namespace=\"fpn-service\",job=\"fpn-service\",model=\"m\",version=\"1\"";
        const string Queue = $"fpn_queue_depth{{{Labels}";
        const string Bucket = $"fpn_request_duration_seconds_bucket{{{Labels}";

        // Two pods, nine images wait; 19 of 20 take 0.25 s at most, the others up to 0.5 s.
        var busy = await EvaluateAsync(
            queries,
            ($"{Queue},pod=\"a\"}}", "6x40"),
            ($"{Queue},pod=\"b\"}}", "3x40"),
            ("fpn_queue_depth{namespace=\"other\",job=\"fpn-service\"}", "100x40"),
            ($"{Bucket},pod=\"a\",le=\"0.1\"}}", "0x40"),
            ($"{Bucket},pod=\"a\",le=\"0.25\"}}", "0+190x40"),
            ($"{Bucket},pod=\"a\",le=\"0.5\"}}", "0+200x40"),
            ($"{Bucket},pod=\"a\",le=\"+Inf\"}}", "0+200x40"));
        Assert.Equal([9, 0.25], busy);

        // Pods without a request: all there is of a quantile is NaN.
        var idle = await EvaluateAsync(
            queries,
            ($"{Queue},pod=\"a\"}}", "0x40"),
            ($"{Bucket},pod=\"a\",le=\"0.1\"}}", "0x40"),
            ($"{Bucket},pod=\"a\",le=\"+Inf\"}}", "0x40"));
        Assert.Equal([0, 0], idle);

        var notYetScraped = await EvaluateAsync(queries, ("unrelated", "1x40"));
        Assert.Equal([0, 0], notYetScraped);
    }

    private static IEnumerable<JsonElement> Scalers(IEnumerable<JsonElement> objects) =>
        objects.Where(item => item.Text("kind") is "HorizontalPodAutoscaler" or "ScaledObject");

    private static string[] Queries(IEnumerable<JsonElement> objects)
    {
        var triggers = objects.Single("ScaledObject").At("spec/triggers").EnumerateArray();
        var queries = triggers.Where(trigger => trigger.Text("type") == "prometheus")
            .Select(trigger => trigger.Text("metadata/query")).ToArray();
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
            var samples = new[] { new { labels = "{}", value = -1 } };
            var expected = new { expr = query, eval_time = "10m", exp_samples = samples };
            var test = new
            {
                interval = "15s",
                input_series = series.Select(item => new { series = item.Series, values = item.Values }),
                promql_expr_test = new[] { expected },
            };
            var file = Path.Combine(Path.GetTempPath(), $"fpn-keda-{Guid.NewGuid():N}.json");
            try
            {
                var text = JsonSerializer.Serialize(new { evaluation_interval = "15s", tests = new[] { test } });
                await File.WriteAllTextAsync(file, text, Cancel);
                var (_, output) = await PrometheusTools.RunPromtoolAsync(string.Empty, "test", "rules", file);
                var got = Assert.Single(output.Split('\n'), line => line.Contains(" got: ", StringComparison.Ordinal));
                results.Add(double.Parse(got[got.LastIndexOf(' ')..], CultureInfo.InvariantCulture));
            }
            finally
            {
                File.Delete(file);
            }
        }

        return [.. results];
    }
}
