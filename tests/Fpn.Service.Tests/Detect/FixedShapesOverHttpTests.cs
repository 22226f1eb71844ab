using System.Net.Http.Json;
using System.Text.Json;
using Fpn.Testing.Images;
using Fpn.Testing.Metrics;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Detect;

/// <summary>The service with fixed shapes, as on a GPU, on the CPU.</summary>
[Trait("Speed", "slow")]
public sealed class FixedShapesOverHttpTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Detect_ManySizesAtOnce_NoRequestMeetsAShapeThatWasNotWarm()
    {
        using var service = new RunningService(
            ("Fpn:Batching:FixedShapes", "on"), ("Fpn:Batching:MaxBatchSize", "3"), ("Fpn:Execution:Provider", "cpu"));
        var images = MadeImages.All.Select(MadeImages.Read).ToList();

        var answers = await Task.WhenAll(images.Concat(images).Select(image => service.Client.DetectAsync(image)));

        Assert.Contains(answers, answer => answer.GetProperty("detections").GetArrayLength() > 0);
        Assert.Contains(answers, answer => answer.GetProperty("batchSize").GetInt32() > 1);
        var metrics = ScrapedMetrics.Parse(await service.Client.GetStringAsync("metrics", Cancel));
        foreach (var graph in new[] { "backbone", "head" })
        {
            Assert.Equal(0, metrics.Value(
                "fpn_shapes_unwarmed_total", ("model", "blood-cells"), ("version", "1"), ("graph", graph)));
        }

        Assert.Contains(service.Log.All, line => line.Contains("all shapes are warm", StringComparison.Ordinal));
        var batching =
            (await service.Client.GetFromJsonAsync<JsonElement>("models/blood-cells", Cancel)).GetProperty("batching");
        Assert.True(batching.GetProperty("fixedShapes").GetBoolean());
        Assert.NotEqual(0, batching.GetProperty("buckets").GetArrayLength());
    }
}
