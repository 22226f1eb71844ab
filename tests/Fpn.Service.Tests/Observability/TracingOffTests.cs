using Fpn.Serving.Queue;
using Fpn.Serving.Telemetry;
using Fpn.Testing.Fakes;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Observability;

/// <summary>Without an endpoint no span is made. Nothing else runs meanwhile: listeners are the process's.</summary>
[Collection(Alone.Collection)]
public sealed class TracingOffTests
{
    [Fact]
    public async Task Service_NoEndpoint_MakesNoSpans()
    {
        using var service = new RunningService();
        await service.Client.DetectAsync(MadeImages.Read("smear-480x640.jpg"));
        using var detector = new FakeDetector();
        Assert.Null(DetectionTracing.StartImage(detector.Contract));
        Assert.Null(DetectionTracing.StartBatch<PendingRequest>(detector.Contract, [], request => request.Trace));
        Assert.Equal(default, DetectionTracing.Current);
    }
}
