using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Fpn.Models.Packages;
using Fpn.Serving.Requests;
using Tag = System.Collections.Generic.KeyValuePair<string, object?>;

namespace Fpn.Serving.Telemetry;

/// <summary>
/// Adds up what the instruments measure, for each version of a model: the sums that <c>/metrics</c> has, for answers
/// that are not metrics.
/// </summary>
/// <remarks>
/// Listens to the instruments themselves, so that nothing is counted in two ways. Thread-safe; listening allocates
/// nothing. Measurements from before it was created are missing.
/// </remarks>
internal sealed class StatisticsCollector : IDisposable
{
    private readonly DetectionMetrics _instruments;
    private readonly TimeProvider _clock;
    private readonly MeterListener _listener;
    private readonly ConcurrentDictionary<(string Model, string Version), ModelTotals> _models = new();

    /// <summary>Begins to listen.</summary>
    /// <param name="instruments">The instruments.</param>
    /// <param name="clock">Tells when an image was answered.</param>
    public StatisticsCollector(DetectionMetrics instruments, TimeProvider clock)
    {
        (_instruments, _clock) = (instruments, clock);
        Instrument[] heard =
        [
            instruments.Requests, instruments.RequestDuration, instruments.StageDuration, instruments.Inferences,
            instruments.Executions, instruments.ExecutionDuration,
        ];
        _listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (heard.Contains(instrument))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Count(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Time(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>The sums of one version of a model; of one that was never asked, zeros.</summary>
    public ModelTotals TotalsFor(ModelContract contract) => TotalsFor(contract.Name, contract.Version);

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private ModelTotals TotalsFor(string model, string version) =>
        _models.GetOrAdd((model, version), _ => new ModelTotals());

    /// <summary>The sums that a measurement belongs to.</summary>
    private ModelTotals TotalsFor(ReadOnlySpan<Tag> tags) =>
        TotalsFor((string)tags[ModelMetrics.ModelTag].Value!, (string)tags[ModelMetrics.VersionTag].Value!);

    private void Count(Instrument instrument, long value, ReadOnlySpan<Tag> tags)
    {
        // Counters begin with a 0 for each of their series.
        if (value == 0)
        {
            return;
        }

        var totals = TotalsFor(tags);
        if (instrument == _instruments.Inferences)
        {
            totals.Images.Add(value);
        }
        else if (instrument == _instruments.Executions)
        {
            totals.Runs.Add(value);
        }
        else
        {
            var succeeded = tags[ModelMetrics.OutcomeTag].Value is FailureReason.Success;
            (succeeded ? totals.Success : totals.Failure).Add(value);
            totals.SetLastRequest(_clock.GetUtcNow());
        }
    }

    private void Time(Instrument instrument, double seconds, ReadOnlySpan<Tag> tags)
    {
        var totals = TotalsFor(tags);
        if (instrument == _instruments.RequestDuration)
        {
            totals.Success.AddTime(seconds);
        }
        else if (instrument == _instruments.ExecutionDuration)
        {
            totals.Runs.AddTime(seconds);
            Add(totals.BatchesWith((int)tags[ModelMetrics.RunSizeTag].Value!).Runs, seconds);
        }
        else
        {
            AddStage(totals, seconds, tags);
        }
    }

    private static void AddStage(ModelTotals totals, double seconds, ReadOnlySpan<Tag> tags)
    {
        var batches = totals.BatchesWith((int)tags[ModelMetrics.StageSizeTag].Value!);
        var stage = (string)tags[ModelMetrics.StageTag].Value!;
        if (IsStage(DetectionStage.Queue))
        {
            Add(totals.Queue, seconds);
        }
        else if (IsStage(DetectionStage.Decode))
        {
            // With the preprocessing of the same image, which counts it.
            totals.Input.AddTime(seconds);
        }
        else if (IsStage(DetectionStage.Preprocess))
        {
            Add(totals.Input, seconds);
            Add(batches.Input, seconds);
        }
        else if (IsStage(DetectionStage.Postprocess))
        {
            Add(totals.Output, seconds);
            Add(batches.Output, seconds);
        }
        else
        {
            // Every model has a backbone, which counts its images.
            totals.Inference.Add(IsStage(DetectionStage.Backbone) ? 1 : 0);
            totals.Inference.AddTime(seconds);
        }

        bool IsStage(DetectionStage other) => stage == DetectionStages.Names[(int)other];
    }

    private static void Add(MeasuredTotal total, double seconds)
    {
        total.Add(1);
        total.AddTime(seconds);
    }
}
