using System.Diagnostics.Metrics;
using Fpn.Service.Model;

namespace Fpn.Service.Batching;

/// <summary>What the batching room counts.</summary>
internal sealed class DetectionMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Fpn.Service";

    private readonly Meter _meter;
    private readonly Histogram<int> _batchSize;
    private readonly Histogram<double> _inference;
    private readonly Counter<long> _batchPixels;
    private readonly Counter<long> _paddingPixels;
    private readonly Counter<long> _devicesLost;

    /// <summary>Creates the instruments.</summary>
    public DetectionMetrics(IMeterFactory factory)
    {
        _meter = factory.Create(MeterName);
        _batchSize = _meter.CreateHistogram<int>("fpn.batch.size", "{image}", "Images that shared a run of the graphs.");
        _inference = _meter.CreateHistogram<double>("fpn.batch.inference", "s", "Time of a run: both graphs and the choice of proposals.");
        _batchPixels = _meter.CreateCounter<long>("fpn.batch.pixels", "{pixel}", "Pixels that were fed to the model, padding included.");
        _paddingPixels = _meter.CreateCounter<long>("fpn.batch.padding", "{pixel}", "Those of them that were padding.");
        _devicesLost = _meter.CreateCounter<long>("fpn.device.lost", "{failure}", "Failures of the device, after each of which the model was loaded again.");
    }

    /// <summary>Counts a device that failed.</summary>
    public void RecordDeviceLost(string model) => _devicesLost.Add(1, new KeyValuePair<string, object?>("model", model));

    /// <summary>Counts a run.</summary>
    public void RecordBatch(string model, PreparedBatch batch, TimeSpan inference)
    {
        var tag = new KeyValuePair<string, object?>("model", model);
        var fed = batch.Tensor.Count * batch.Tensor.Size.Area;
        _batchSize.Record(batch.Tensor.Count, tag);
        _inference.Record(inference.TotalSeconds, tag);
        _batchPixels.Add(fed, tag);
        _paddingPixels.Add(fed - batch.Geometries.Sum(geometry => geometry.Resized.Area), tag);
    }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}
