using System.Diagnostics;
using Fpn.Detection.Geometry;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.TwoStage;

namespace Fpn.Benchmarks.Gpu;

/// <summary>A variant whose graphs are on the device.</summary>
internal sealed class LoadedVariant : IDisposable
{
    private readonly bool _sessionPerShape;

    private LoadedVariant(Variant variant, TwoStageDetector detector, bool sessionPerShape, double loadSeconds)
    {
        (Variant, Detector, LoadSeconds) = (variant, detector, loadSeconds);
        _sessionPerShape = sessionPerShape;
    }

    /// <summary>What was loaded.</summary>
    public Variant Variant { get; }

    /// <summary>Runs it.</summary>
    public TwoStageDetector Detector { get; }

    /// <summary>Time to load both graphs and run them once.</summary>
    public double LoadSeconds { get; }

    /// <summary>Time to try all its shapes; null where they are not fixed.</summary>
    public double? WarmUpSeconds { get; private set; }

    /// <summary>Loads it; the caller disposes it.</summary>
    public static LoadedVariant Load(Variant variant, ExecutionDevice device)
    {
        var begun = Stopwatch.GetTimestamp();
        TwoStageDetector detector = new(variant.Contract, device);
        var seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
        return new LoadedVariant(variant, detector, device.Description.SessionPerShape, seconds);
    }

    /// <summary>Fixes the shapes and tries them; disposes this where that fails.</summary>
    /// <param name="buckets">Sizes of the tensors.</param>
    /// <param name="batches">Images of a batch.</param>
    /// <param name="sessionPerShape">Null does as the service does.</param>
    public void WarmUp(IReadOnlyList<ImageSize> buckets, IReadOnlyList<int> batches, bool? sessionPerShape = null)
    {
        var begun = Stopwatch.GetTimestamp();
        try
        {
            FixedShapes shapes = new(buckets, batches, Variant.Contract.Proposals.PostNmsTopN)
            {
                SessionPerShape = sessionPerShape ?? _sessionPerShape,
            };
            Detector.WarmUp(shapes, _ => { });
        }
        catch
        {
            Dispose();
            throw;
        }

        WarmUpSeconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }

    /// <summary>Keeps how long it took.</summary>
    public void KeepTimes(SectionResult result)
    {
        result.Keep($"{Variant.Key}.loadSeconds", LoadSeconds);
        result.Keep($"{Variant.Key}.warmUpSeconds", WarmUpSeconds ?? double.NaN);
    }

    /// <inheritdoc/>
    public void Dispose() => Detector.Dispose();
}
