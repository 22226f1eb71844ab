using System.Net;
using System.Text.Json;
using Fpn.Service.OpenInferenceGrpc;
using Fpn.Service.Tests.OpenInference;
using Fpn.Testing.Images;
using Fpn.Testing.Metrics;
using Fpn.Testing.Running;
using Grpc.Core;

namespace Fpn.Service.Tests.OpenInferenceGrpc;

/// <summary>Triton's statistics: what <c>/metrics</c> says, over HTTP and gRPC.</summary>
public sealed class StatisticsTests
{
    private const string Model = "blood-cells";

    private static readonly (string Name, string Value) Labels = ("model", Model);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Six images are answered, three one after the other and three of one call; three fail.</summary>
    [Fact]
    public async Task Statistics_AnswersAndFailures_AreThoseOfMetrics()
    {
        using var calls = new GrpcCalls(("Fpn:Batching:MaxBatchSize", "3"));
        var client = calls.Service.Client;
        var picture = await File.ReadAllBytesAsync(Checkout.SampleImage, Cancel);
        for (var i = 0; i < 3; i++)
        {
            await client.DetectAsync(picture);
        }

        using (var call = calls.Infer(GrpcCalls.Request(Model, picture, picture, picture)))
        {
            await call;
        }

        using (var refused = await client.PostDetectAsync([1, 2, 3]))
        {
            await ProblemBody.AssertAsync(refused, HttpStatusCode.UnsupportedMediaType, "unsupported-image-format");
        }

        await GrpcCalls.FailAsync(
            calls.Infer(GrpcCalls.Request(Model, MadePng.Header(5, 5))),
            StatusCode.InvalidArgument,
            "undecodable-image");
        await GrpcCalls.FailAsync(
            calls.Infer(GrpcCalls.Request(Model, MadePng.Header(50_000, 50_000))),
            StatusCode.InvalidArgument,
            "too-many-pixels");

        var metrics = ScrapedMetrics.Parse(await client.GetStringAsync("metrics", Cancel));
        var model = Assert.Single((await client.GetJsonAsync("v2/models/stats"))
            .GetProperty("model_stats").EnumerateArray());
        Assert.Equal(Model, model.GetProperty("name").GetString());
        Assert.Equal("1", model.GetProperty("version").GetString());
        var last = DateTimeOffset.FromUnixTimeMilliseconds(model.GetProperty("last_inference").GetInt64());
        Assert.InRange(TimeProvider.System.GetUtcNow() - last, TimeSpan.Zero, TimeSpan.FromMinutes(5));

        Assert.Equal(6, model.GetProperty("inference_count").GetInt64());
        Assert.Equal(
            metrics.Value("fpn_inferences_total", Labels), model.GetProperty("inference_count").GetInt64());
        Assert.Equal(
            metrics.Value("fpn_executions_total", Labels), model.GetProperty("execution_count").GetInt64());

        var stats = model.GetProperty("inference_stats");
        Assert.Equal(6, Count(stats, "success"));
        Assert.Equal(metrics.Value("fpn_requests_total", Labels, ("outcome", "success")), Count(stats, "success"));
        Assert.Equal(3, Count(stats, "fail"));
        Assert.Equal(
            metrics.Find("fpn_requests_total", Labels)
                .Where(sample => sample.Labels["outcome"] != "success").Sum(sample => sample.Value),
            Count(stats, "fail"));
        AssertTime(metrics, "fpn_request_duration_seconds", stats, "success");
        AssertTime(metrics, "fpn_stage_duration_seconds", stats, "queue", "queue");
        AssertTime(metrics, "fpn_stage_duration_seconds", stats, "compute_input", "decode", "preprocess");
        AssertTime(metrics, "fpn_stage_duration_seconds", stats, "compute_infer", "backbone", "proposals", "head");
        AssertTime(metrics, "fpn_stage_duration_seconds", stats, "compute_output", "postprocess");
        Assert.Equal((0, 0), (Count(stats, "cache_hit"), Count(stats, "cache_miss")));

        // The batches by size: all runs and all images are there.
        var batches = model.GetProperty("batch_stats").EnumerateArray().ToArray();
        Assert.Equal(
            batches.Select(batch => batch.GetProperty("batch_size").GetInt32()).Order(),
            batches.Select(batch => batch.GetProperty("batch_size").GetInt32()));
        Assert.Equal(
            6, batches.Sum(batch => batch.GetProperty("batch_size").GetInt32() * Count(batch, "compute_infer")));
        Assert.Equal(
            model.GetProperty("execution_count").GetInt64(), batches.Sum(batch => Count(batch, "compute_infer")));
        Assert.Equal(
            metrics.Value("fpn_execution_duration_seconds_sum", Labels),
            batches.Sum(batch => Seconds(batch, "compute_infer")),
            1e-6);
        Assert.Equal(Seconds(stats, "compute_output"), batches.Sum(batch => Seconds(batch, "compute_output")), 1e-6);
        Assert.All(batches, batch => Assert.True(Seconds(batch, "compute_input") > 0));

        // No series by the size of batches: the statistics alone have it.
        Assert.DoesNotContain(metrics.Samples, sample => sample.Labels.ContainsKey("batch_size"));

        foreach (var path in new[] { $"v2/models/{Model}/stats", $"v2/models/{Model}/versions/1/stats" })
        {
            Assert.Equal(model.GetRawText(), Assert.Single(
                (await client.GetJsonAsync(path)).GetProperty("model_stats").EnumerateArray()).GetRawText());
        }

        // The same numbers as messages.
        foreach (var request in new ModelStatisticsRequest[]
        {
            new(), new() { Name = Model }, new() { Name = Model, Version = "1" },
        })
        {
            using var call = calls.Call<ModelStatisticsRequest, ModelStatisticsResponse>("ModelStatistics", request);
            AssertSame(model, Assert.Single((await call).ModelStats));
        }
    }

    [Fact]
    public async Task Statistics_UnknownModelOrVersion_AreNotFound()
    {
        using var calls = new GrpcCalls();
        foreach (var path in new[] { "v2/models/pets/stats", $"v2/models/{Model}/versions/7/stats" })
        {
            using var answer = await calls.Service.Client.GetAsync(path, Cancel);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            var error = JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync(Cancel));
            Assert.Contains(Model, error.GetProperty("error").GetString(), StringComparison.Ordinal);
        }

        await GrpcCalls.FailAsync(
            calls.Call<ModelStatisticsRequest, ModelStatisticsResponse>("ModelStatistics", new() { Name = "pets" }),
            StatusCode.NotFound,
            "unknown-model");
        var entry = Assert.Single((await calls.Service.Client.GetJsonAsync($"v2/models/{Model}/stats"))
            .GetProperty("model_stats").EnumerateArray());
        Assert.Equal(0, entry.GetProperty("last_inference").GetInt64());
        Assert.Equal(0, Count(entry.GetProperty("inference_stats"), "success"));
        Assert.Empty(entry.GetProperty("batch_stats").EnumerateArray());
    }

    private static long Count(JsonElement stats, string name) =>
        stats.GetProperty(name).GetProperty("count").GetInt64();

    private static double Seconds(JsonElement stats, string name) =>
        stats.GetProperty(name).GetProperty("ns").GetInt64() / 1e9;

    private static void AssertTime(
        ScrapedMetrics metrics, string metric, JsonElement stats, string name, params string[] stages)
    {
        var sums = stages.Length == 0
            ? metrics.Value($"{metric}_sum", Labels)
            : stages.Sum(stage => metrics.Value($"{metric}_sum", Labels, ("stage", stage)));
        Assert.Equal(6, Count(stats, name));
        Assert.True(sums > 0);
        Assert.Equal(sums, Seconds(stats, name), 1e-6);
    }

    private static void AssertSame(JsonElement expected, ModelStatistics actual)
    {
        Assert.Equal(expected.GetProperty("name").GetString(), actual.Name);
        Assert.Equal(expected.GetProperty("version").GetString(), actual.Version);
        Assert.Equal(expected.GetProperty("last_inference").GetUInt64(), actual.LastInference);
        Assert.Equal(expected.GetProperty("inference_count").GetUInt64(), actual.InferenceCount);
        Assert.Equal(expected.GetProperty("execution_count").GetUInt64(), actual.ExecutionCount);
        var stats = actual.InferenceStats;
        Assert.Equal(
            Durations(expected.GetProperty("inference_stats")),
            Durations(
                stats.Success,
                stats.Fail,
                stats.Queue,
                stats.ComputeInput,
                stats.ComputeInfer,
                stats.ComputeOutput,
                stats.CacheHit,
                stats.CacheMiss));
        var batches = expected.GetProperty("batch_stats").EnumerateArray().ToArray();
        Assert.Equal(batches.Length, actual.BatchStats.Count);
        foreach (var (batch, message) in batches.Zip(actual.BatchStats))
        {
            Assert.Equal(batch.GetProperty("batch_size").GetUInt64(), message.BatchSize);
            Assert.Equal(
                Durations(batch), Durations(message.ComputeInput, message.ComputeInfer, message.ComputeOutput));
        }
    }

    private static (ulong Count, ulong Ns)[] Durations(JsonElement stats) =>
    [
        .. stats.EnumerateObject()
            .Where(member => member.Value.ValueKind == JsonValueKind.Object)
            .Select(member => (
                member.Value.GetProperty("count").GetUInt64(), member.Value.GetProperty("ns").GetUInt64())),
    ];

    private static (ulong Count, ulong Ns)[] Durations(params StatisticDuration[] durations) =>
        [.. durations.Select(duration => (duration.Count, duration.Ns))];
}
