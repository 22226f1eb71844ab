using System.Diagnostics.Metrics;
using System.Runtime.InteropServices;
using Fpn.Imaging.Pixels;
using Fpn.Service.Problems;
using Fpn.Serving.Telemetry;

namespace Fpn.Service.Observability;

/// <summary>Metrics of the whole process: readiness, native memory, refused requests, the build.</summary>
internal sealed class ServiceMetrics
{
    private readonly Counter<long> _problems;

    /// <summary>Creates the instruments; they live as long as the meter.</summary>
    public ServiceMetrics(ReadinessCheck readiness, IMeterFactory factory)
    {
        var meter = factory.Create(DetectionMetrics.MeterName);
        _problems = meter.CreateCounter<long>(
            "fpn.problems", "{response}", "HTTP answers that were problems, by type and status.");
        meter.CreateObservableGauge(
            "fpn.ready",
            () => readiness.Obstacle is null ? 1 : 0,
            null,
            "1 while /health/ready succeeds: every model is loaded and the service was not told to end.");
        meter.CreateObservableGauge(
            "fpn.memory.images",
            () => NativeImageMemory.HeldBytes,
            "By",
            "Native memory of encoded bodies and decoded pictures.");
        KeyValuePair<string, object?>[] build =
            [new("version", Version), new("runtime", RuntimeInformation.FrameworkDescription)];
        meter.CreateObservableGauge(
            "fpn.build.info", () => new Measurement<int>(1, build), null, "1; the labels say what runs.");
    }

    /// <summary>Version of the service.</summary>
    public static string Version { get; } =
        typeof(ServiceMetrics).Assembly.GetName().Version?.ToString(3) ?? string.Empty;

    /// <summary>Counts an answer that was a problem.</summary>
    public void RecordProblem(Problem problem) => _problems.Add(
        1,
        new KeyValuePair<string, object?>("reason", problem.Type),
        new KeyValuePair<string, object?>("status", problem.Status));
}
