using Fpn.Models.Detectors;
using Fpn.Models.Packages;
using Fpn.Serving.Requests;
using Tag = System.Collections.Generic.KeyValuePair<string, object?>;

namespace Fpn.Serving.Telemetry;

/// <summary>The counters of one version of a model.</summary>
/// <remarks>Thread-safe. The tags are made once, so that recording allocates nothing.</remarks>
internal sealed class ModelMetrics
{
    private readonly DetectionMetrics _instruments;
    private readonly Tag[] _model;
    private readonly Tag[] _success;
    private readonly Tag[][] _failures;
    private readonly Tag[] _clientClosed;
    private readonly Tag[] _defect;
    private readonly Tag[][] _stages;

    /// <summary>Makes the tags, and lets counters begin at 0: a rate needs a value before the first failure.</summary>
    /// <param name="instruments">The instruments.</param>
    /// <param name="contract">Its name and version become tags.</param>
    public ModelMetrics(DetectionMetrics instruments, ModelContract contract)
    {
        _instruments = instruments;
        _model = [new("model", contract.Name), new("version", contract.Version)];
        _success = Outcome(new FailureReason("success", "none"));
        _failures = [.. FailureTable.Rows.Select(row => Outcome(FailureReason.FromKind(row.Kind)))];
        _clientClosed = Outcome(FailureReason.ClientClosed);
        _defect = Outcome(FailureReason.Defect);
        _stages =
        [
            .. Enum.GetValues<DetectionStage>()
                .Select(stage => With(new Tag("stage", stage.ToString().ToLowerInvariant()))),
        ];
        var counted = FailureTable.Rows.Where(row => row.Outcome is not null).Select(row => _failures[(int)row.Kind]);
        foreach (var outcome in (Tag[][])[_success, .. counted, _clientClosed, _defect])
        {
            instruments.Requests.Add(0, outcome);
        }

        foreach (var counter in new[]
        {
            instruments.Inferences, instruments.Executions, instruments.BatchPixels, instruments.PaddingPixels,
            instruments.DevicesLost,
        })
        {
            counter.Add(0, _model);
        }
    }

    /// <summary>Counts an image that was answered with detections or with an expected failure.</summary>
    public void RecordAnswer(Result<DetectionResult> answer)
    {
        if (!answer.Succeeded)
        {
            _instruments.Requests.Add(1, _failures[(int)answer.Failure.Kind]);
            return;
        }

        var result = answer.Value;
        var times = result.Times;
        _instruments.Requests.Add(1, _success);
        _instruments.RequestDuration.Record(times.Total.TotalSeconds, _model);
        _instruments.ImagePixels.Record(result.Size.Area, _model);
        if (result.HasDetections)
        {
            _instruments.ImageDetections.Record(result.Detections.Count, _model);
        }

        RecordStage(DetectionStage.Decode, times.Decode);
        RecordStage(DetectionStage.Queue, times.Queue);
        RecordStage(DetectionStage.Preprocess, times.Preprocess);
        RecordStage(DetectionStage.Backbone, times.Parts.Backbone);
        RecordStage(DetectionStage.Proposals, times.Parts.Proposals);
        RecordStage(DetectionStage.Head, times.Parts.Head);
        RecordStage(DetectionStage.Postprocess, times.Postprocess);
    }

    /// <summary>Counts an image whose request ended with an exception.</summary>
    /// <param name="reason">The client left, or else a defect.</param>
    public void RecordException(FailureReason reason) =>
        _instruments.Requests.Add(1, reason == FailureReason.ClientClosed ? _clientClosed : _defect);

    /// <summary>Counts a run.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="inference">Its time on the device.</param>
    public void RecordBatch(PreparedBatch batch, TimeSpan inference)
    {
        var fed = batch.Tensor.Count * batch.Tensor.Size.Area;
        var padding = fed;
        for (var i = 0; i < batch.Geometries.Count; i++)
        {
            padding -= batch.Geometries[i].Resized.Area;
        }

        _instruments.Inferences.Add(batch.Geometries.Count, _model);
        _instruments.Executions.Add(1, _model);
        _instruments.ExecutionDuration.Record(inference.TotalSeconds, _model);
        _instruments.BatchSize.Record(batch.Geometries.Count, _model);
        _instruments.BatchPixels.Add(fed, _model);
        _instruments.PaddingPixels.Add(padding, _model);
        _instruments.PaddingRatio.Record((double)padding / fed, _model);
    }

    /// <summary>Counts a device that failed.</summary>
    public void RecordDeviceLost() => _instruments.DevicesLost.Add(1, _model);

    private void RecordStage(DetectionStage stage, TimeSpan? time)
    {
        if (time is { } spent)
        {
            _instruments.StageDuration.Record(spent.TotalSeconds, _stages[(int)stage]);
        }
    }

    private Tag[] Outcome(FailureReason reason) =>
        With(new Tag("outcome", reason.Outcome), new Tag("reason", reason.Name));

    private Tag[] With(params ReadOnlySpan<Tag> more) => [.. _model, .. more];
}
