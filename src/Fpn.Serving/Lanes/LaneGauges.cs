using System.Diagnostics.Metrics;
using Fpn.Models.Packages;
using Fpn.Serving.Telemetry;
using Tag = System.Collections.Generic.KeyValuePair<string, object?>;

namespace Fpn.Serving.Lanes;

/// <summary>Observes all lanes when metrics are collected.</summary>
internal sealed class LaneGauges
{
    private readonly LaneRegistry _lanes;

    /// <summary>Creates the instruments; they live as long as the meter.</summary>
    public LaneGauges(LaneRegistry lanes, IMeterFactory factory)
    {
        _lanes = lanes;
        var meter = factory.Create(DetectionMetrics.MeterName);
        meter.CreateObservableGauge(
            "fpn.queue.depth",
            () => Sum(lane => lane.Batcher.Waiting),
            "{image}",
            "Decoded images that wait for the device.");
        meter.CreateObservableGauge(
            "fpn.requests.in_flight",
            () => Sum(lane => lane.Admitted),
            "{image}",
            "Images that were admitted and are not answered.");
        meter.CreateObservableGauge(
            "fpn.requests.limit",
            () => OfServing(lane => lane.Limit),
            "{image}",
            "Images that may be in flight; one more is refused as queue-full.");
        meter.CreateObservableGauge(
            "fpn.model.ready",
            () => OfServing(lane => lane.Model.IsLost ? 0 : 1),
            null,
            "1 while the model is loaded, 0 while its device is lost.");
        meter.CreateObservableGauge(
            "fpn.model.info",
            Describe,
            null,
            "1 for each model that is served; its labels say what it is and what it runs on.");
        meter.CreateObservableGauge(
            "fpn.device.info",
            () => new Measurement<long>(
                1,
                new Tag("provider", _lanes.Device.ProviderName),
                new Tag("device", _lanes.Device.Name),
                new Tag("reason", _lanes.Device.Reason)),
            null,
            "1; its labels say what the graphs run on and why.");
        meter.CreateObservableCounter(
            "fpn.shapes.unwarmed",
            UnwarmedShapes,
            "{shape}",
            "Shapes that a graph met only after its warm-up, where shapes are fixed; each may cost a search for "
            + "algorithms.");
    }

    /// <summary>Over all lanes of a model and version: one that is replaced by its like still answers some.</summary>
    private IEnumerable<Measurement<long>> Sum(Func<ModelLane, int> value) => _lanes.Working
        .GroupBy(lane => (lane.Model.Contract.Name, lane.Model.Contract.Version))
        .Select(same => new Measurement<long>(same.Sum(value), Tags(same.First())));

    private IEnumerable<Measurement<long>> OfServing(Func<ModelLane, int> value) =>
        _lanes.AllLanes.Select(lane => new Measurement<long>(value(lane), Tags(lane)));

    private IEnumerable<Measurement<long>> Describe() => _lanes.AllLanes.Select(lane => new Measurement<long>(
        1,
        [
            .. Tags(lane),
            new("layout", lane.Model.Contract.Layout == ModelLayout.TwoStage ? "two-stage" : "end-to-end"),
            new("provider", _lanes.Device.ProviderName),
            new("max_batch_size", lane.Batcher.MaxBatchSize),
        ]));

    private IEnumerable<Measurement<long>> UnwarmedShapes() =>
        from lane in _lanes.AllLanes
        from shapes in lane.Model.UnwarmedShapes
        select new Measurement<long>(shapes.Value, [.. Tags(lane), new("graph", shapes.Key)]);

    private static Tag[] Tags(ModelLane lane) =>
        [new("model", lane.Model.Contract.Name), new("version", lane.Model.Contract.Version)];
}
