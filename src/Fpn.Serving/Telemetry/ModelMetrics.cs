using System.Collections.Concurrent;
using Fpn.Models.Detectors;
using Fpn.Models.Packages;
using Fpn.Serving.Requests;
using Tag = System.Collections.Generic.KeyValuePair<string, object?>;

namespace Fpn.Serving.Telemetry;

/// <summary>The counters of one version of a model.</summary>
/// <remarks>Thread-safe. The tags are made once, so that recording allocates nothing.</remarks>
internal sealed class ModelMetrics
{
    /// <summary>Place of the model's name among the tags of every instrument.</summary>
    public const int ModelTag = 0;

    /// <summary>Place of its version.</summary>
    public const int VersionTag = 1;

    /// <summary>Place of the outcome among the tags of requests.</summary>
    public const int OutcomeTag = 2;

    /// <summary>Place of the stage among the tags of stages.</summary>
    public const int StageTag = 2;

    /// <summary>Place of the size of the batch among the tags of stages.</summary>
    public const int StageSizeTag = 3;

    /// <summary>Place of the size of the batch among the tags of the time of runs.</summary>
    public const int RunSizeTag = 2;

    /// <summary>Name of the tag that says how many images shared the run. Exporters of the service leave it
    /// out.</summary>
    public const string SizeTagName = "batch_size";

    private readonly DetectionMetrics _instruments;
    private readonly Tag[] _model;
    private readonly Tag[] _success;
    private readonly Tag[][] _failures;
    private readonly Tag[] _clientClosed;
    private readonly Tag[] _defect;

    /// <summary>Tags by the size of the batch: of its time on the device, then of each stage.</summary>
    private readonly ConcurrentDictionary<int, (Tag[] Run, Tag[][] Stages)> _sizes = new();

    /// <summary>Makes the tags, and lets counters begin at 0: a rate needs a value before the first failure.</summary>
    /// <param name="instruments">The instruments.</param>
    /// <param name="contract">Its name and version become tags.</param>
    public ModelMetrics(DetectionMetrics instruments, ModelContract contract)
    {
        _instruments = instruments;
        _model = [new("model", contract.Name), new("version", contract.Version)];
        _success = Outcome(new FailureReason(FailureReason.Success, "none"));
        _failures = [.. FailureTable.Rows.Select(row => Outcome(FailureReason.FromKind(row.Kind)))];
        _clientClosed = Outcome(FailureReason.ClientClosed);
        _defect = Outcome(FailureReason.Defect);
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

        var stages = TagsFor(result.BatchSize).Stages;
        RecordStage(DetectionStage.Decode, times.Decode, stages);
        RecordStage(DetectionStage.Queue, times.Queue, stages);
        RecordStage(DetectionStage.Preprocess, times.Preprocess, stages);
        RecordStage(DetectionStage.Backbone, times.Parts.Backbone, stages);
        RecordStage(DetectionStage.Proposals, times.Parts.Proposals, stages);
        RecordStage(DetectionStage.Head, times.Parts.Head, stages);
        RecordStage(DetectionStage.Postprocess, times.Postprocess, stages);
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
        _instruments.ExecutionDuration.Record(inference.TotalSeconds, TagsFor(batch.Geometries.Count).Run);
        _instruments.BatchSize.Record(batch.Geometries.Count, _model);
        _instruments.BatchPixels.Add(fed, _model);
        _instruments.PaddingPixels.Add(padding, _model);
        _instruments.PaddingRatio.Record((double)padding / fed, _model);
    }

    /// <summary>Counts a device that failed.</summary>
    public void RecordDeviceLost() => _instruments.DevicesLost.Add(1, _model);

    private void RecordStage(DetectionStage stage, TimeSpan? time, Tag[][] stages)
    {
        if (time is { } spent)
        {
            _instruments.StageDuration.Record(spent.TotalSeconds, stages[(int)stage]);
        }
    }

    private (Tag[] Run, Tag[][] Stages) TagsFor(int batchSize) =>
        _sizes.TryGetValue(batchSize, out var tags) ? tags : _sizes.GetOrAdd(batchSize, CreateTags(batchSize));

    private (Tag[] Run, Tag[][] Stages) CreateTags(int batchSize)
    {
        var size = new Tag(SizeTagName, batchSize);
        return (With(size), [.. DetectionStages.Names.Select(stage => With(new Tag("stage", stage), size))]);
    }

    private Tag[] Outcome(FailureReason reason) =>
        With(new Tag("outcome", reason.Outcome), new Tag("reason", reason.Name));

    private Tag[] With(params ReadOnlySpan<Tag> more) => [.. _model, .. more];
}
