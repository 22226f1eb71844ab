using System.Diagnostics;
using Fpn.Models.Packages;
using Fpn.Serving.Requests;

namespace Fpn.Serving.Telemetry;

/// <summary>
/// Spans: one for an image beneath the HTTP request's, one for each stage beneath that, and one for each batch, which
/// is a trace of its own since many requests share it. Stages and batch link to each other.
/// </summary>
/// <remarks>Nothing is created while there is no listener.</remarks>
internal static class DetectionTracing
{
    /// <summary>Name of the source.</summary>
    public const string SourceName = "Fpn.Service";

    private static readonly ActivitySource Source = new(SourceName);

    /// <summary>The span that now runs, for later links; default while there is no listener.</summary>
    public static ActivityContext Current =>
        Source.HasListeners() && Activity.Current is { } current ? current.Context : default;

    /// <summary>Begins the span of an image.</summary>
    /// <returns>Null while there is no listener; otherwise to be disposed when the image is answered.</returns>
    public static Activity? StartImage(ModelContract contract)
    {
        var image = Source.StartActivity("detect");
        image?.SetTag("fpn.model", contract.Name).SetTag("fpn.model.version", contract.Version);
        return image;
    }

    /// <summary>Begins the span of a batch, linked to its images'.</summary>
    /// <param name="contract">The model.</param>
    /// <param name="images">The images.</param>
    /// <param name="span">Gives the span of an image, default where it has none; only called while there is a
    /// listener.</param>
    /// <returns>Null while there is no listener; otherwise to be disposed when the batch is answered.</returns>
    public static Activity? StartBatch<T>(
        ModelContract contract, IReadOnlyList<T> images, Func<T, ActivityContext> span)
    {
        if (!Source.HasListeners())
        {
            return null;
        }

        // The activity that ran when the lane was made is not this batch's parent.
        Activity.Current = null;
        var batch = Source.StartActivity(
            "batch",
            ActivityKind.Internal,
            parentContext: default,
            links: images
                .Select(span)
                .Where(image => image != default)
                .Select(image => new ActivityLink(image)));
        return batch?
            .SetTag("fpn.model", contract.Name)
            .SetTag("fpn.model.version", contract.Version)
            .SetTag("fpn.batch.size", images.Count);
    }

    /// <summary>Marks a span as one that ended without detections; as an error only where the service or its model
    /// is at fault.</summary>
    /// <param name="activity">The span; null does nothing.</param>
    /// <param name="reason">Its name becomes <c>error.type</c>.</param>
    public static void SetFailed(Activity? activity, FailureReason reason)
    {
        activity?.SetTag("error.type", reason.Name);
        if (reason.Outcome == FailureReason.Failed)
        {
            activity?.SetStatus(ActivityStatusCode.Error, reason.Name);
        }
    }

    /// <summary>Writes the stages of an image that was answered, each at the time when it was; those of a batch once,
    /// however many of the image's views were in it.</summary>
    /// <param name="image">The image's span; null does nothing.</param>
    /// <param name="decode">Its decoding.</param>
    /// <param name="views">The rest of its stages, one for each view.</param>
    /// <param name="detections">How many were found; null where something else was asked for.</param>
    /// <param name="clock">Whose time stamps these are.</param>
    public static void WriteStages(
        Activity? image, StageSpan decode, IReadOnlyList<InferredImage> views, int? detections, TimeProvider clock)
    {
        if (image is not { IsAllDataRequested: true })
        {
            return;
        }

        var (now, utcNow) = (clock.GetTimestamp(), clock.GetUtcNow());
        image.SetTag("fpn.batch.size", views.Max(view => view.BatchSize)).SetTag("fpn.detections", detections);
        if (views.Count > 1)
        {
            image.SetTag("fpn.views", views.Count);
        }

        var runs = views.Where((_, view) => !StageTimes.WasBefore(views, view)).ToList();
        ActivityLink[] links =
            [.. runs.Where(view => view.Run.Trace != default).Select(view => new ActivityLink(view.Run.Trace))];
        var decoded = Write(DetectionStage.Decode, At(decode.Start), decode.Time);
        foreach (var view in runs)
        {
            WriteRun(view, decoded);
        }

        void WriteRun(InferredImage view, DateTimeOffset queued)
        {
            var run = view.Run;
            var preprocess = At(run.Preprocess.Start);
            Write(DetectionStage.Queue, queued, preprocess - queued);
            Write(DetectionStage.Preprocess, preprocess, run.Preprocess.Time);
            var end = Write(DetectionStage.Backbone, At(run.Inference.Start), run.Parts.Backbone);
            if (run.Parts is { Proposals: { } proposals, Head: { } head })
            {
                end = Write(DetectionStage.Proposals, end, proposals);
                Write(DetectionStage.Head, end, head);
            }

            Write(DetectionStage.Postprocess, At(view.Postprocess.Start), view.Postprocess.Time);
        }

        DateTimeOffset At(long stamp) => utcNow - clock.GetElapsedTime(stamp, now);

        DateTimeOffset Write(DetectionStage stage, DateTimeOffset start, TimeSpan time)
        {
            using var activity = Source.StartActivity(
                DetectionStages.Names[(int)stage],
                ActivityKind.Internal,
                image.Context,
                links: links,
                startTime: start);
            activity?.SetEndTime((start + time).UtcDateTime);
            return start + time;
        }
    }
}
