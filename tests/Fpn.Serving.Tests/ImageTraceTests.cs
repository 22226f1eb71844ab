using System.Collections.Concurrent;
using System.Diagnostics;
using Fpn.Detection.Geometry;
using Fpn.Models.Detectors;
using Fpn.Serving.Requests;
using Fpn.Serving.Telemetry;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Serving.Tests;

/// <summary>What the span of an image says.</summary>
[Collection(Alone.Collection)]
public sealed class ImageTraceTests : IAsyncDisposable
{
    private readonly TestPipeline _pipeline = new();
    private readonly ConcurrentQueue<Activity> _images = new();
    private readonly ActivityListener _listener;

    public ImageTraceTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == DetectionTracing.SourceName,
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = activity =>
            {
                if (activity.OperationName == "detect")
                {
                    _images.Enqueue(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync()
    {
        _listener.Dispose();
        return _pipeline.DisposeAsync();
    }

    /// <summary>Regions are not detections: none at all is not the same as none found.</summary>
    [Fact]
    public async Task Detect_OneStageAlone_CountsNoDetections()
    {
        await _pipeline.StartAsync();
        _pipeline.Detector.RunsFreely = true;
        Assert.True((await _pipeline.Send(10)).Succeeded);
        var regions = await _pipeline.Send(new DetectionRequest(Pictures.Png(10, 16))
        {
            Task = new RegionTask([new Box(0, 0, 9, 9)], 1),
            Cancellation = Cancel,
        });
        Assert.True(regions.Succeeded);
        Assert.Equal([1, null], _images.Select(image => image.GetTagItem("fpn.detections")));
        Assert.All(_images, image => Assert.Equal(1, image.GetTagItem("fpn.batch.size")));
    }
}
