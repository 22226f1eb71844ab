using Fpn.Service.Batching;
using Fpn.Service.Tests.Batching;
using Fpn.Service.Tests.Imaging;
using Fpn.Service.Tests.Running;

namespace Fpn.Service.Tests.Observability;

/// <summary>Without an endpoint no span is made. Nothing else runs meanwhile: listeners are the process's.</summary>
[Collection(nameof(NativeMemoryTests))]
public sealed class TracingOffTests
{
    [Fact]
    public async Task Service_NoEndpoint_MakesNoSpans()
    {
        using var service = new RunningService();
        await service.Client.DetectAsync(MadeImages.Read("smear-480x640.jpg"));
        using var detector = new FakeDetector();
        Assert.Null(DetectionTracing.StartImage(detector.Contract));
        Assert.Null(DetectionTracing.StartBatch(detector.Contract, []));
        Assert.Equal(default, DetectionTracing.Current);
    }
}
