using System.Diagnostics;
using Fpn.Imaging.Decoding;
using Fpn.Models.Detectors;
using Fpn.Serving.Lanes;
using Fpn.Serving.Requests;
using Fpn.Serving.Sizing;
using Fpn.Serving.Telemetry;

namespace Fpn.Serving.Pipeline;

/// <summary>Takes an image from its bytes to its detections: admission, decoding, the model's lane.</summary>
internal sealed class DetectionPipeline(
    ImageDecoder decoder,
    PictureDecoding decoding,
    BatchingOptions options,
    ViewLimits views,
    TimeProvider clock)
{
    private readonly PictureRun _run = new(decoding, clock);

    /// <summary>Detects the objects of one image.</summary>
    /// <param name="lane">The model that answers; the caller holds a use of it until the task is done.</param>
    /// <param name="request">The image and how to answer it.</param>
    /// <param name="turns">What the images of one request share, so that those without room beside each other wait for
    /// each other; null for an image that came alone.</param>
    /// <returns>The detections, or an expected failure.</returns>
    /// <exception cref="OperationCanceledException">The caller went away.</exception>
    public async Task<Result<DetectionResult>> DetectAsync(
        ModelLane lane, DetectionRequest request, ImageTurns? turns = null)
    {
        using var trace = DetectionTracing.StartImage(lane.Model.Contract);
        try
        {
            var result = await StartAsync(lane, request, turns, trace);
            lane.Metrics.RecordAnswer(result);
            if (result.Failure is { } failure)
            {
                DetectionTracing.SetFailed(trace, FailureReason.FromKind(failure.Kind));
            }

            return result;
        }
        catch (Exception exception)
        {
            var reason = FailureReason.FromException(exception);
            lane.Metrics.RecordException(reason);
            DetectionTracing.SetFailed(trace, reason);
            throw;
        }
    }

    /// <summary>Refuses what the model cannot be asked, and sets the deadline.</summary>
    private async Task<Result<DetectionResult>> StartAsync(
        ModelLane lane, DetectionRequest request, ImageTurns? turns, Activity? trace)
    {
        // Here, since a batch that meets it can only fail, and would try its images alone.
        if (request.Explain && lane.Model.Contract.ExplainRefusal is { } refusal)
        {
            return new DetectionFailure(FailureKind.NotExplainable, refusal);
        }

        if (request.Task != ImageTask.Detection && lane.Model.Contract.StageRefusal is { } oneStage)
        {
            return new DetectionFailure(FailureKind.NotTwoStage, oneStage);
        }

        var deadline = request.Timeout < options.Deadline ? request.Timeout.Value : options.Deadline;
        using var expiry = new CancellationTokenSource(deadline, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(
            request.Cancellation, request.GivenUp, expiry.Token);
        try
        {
            return await AdmitAsync(lane, request, turns, deadline, trace, either.Token);
        }
        catch (OperationCanceledException) when (!request.Cancellation.IsCancellationRequested)
        {
            return request.GivenUp.IsCancellationRequested
                ? new DetectionFailure(FailureKind.GivenUp, "The rest of the request had failed.")
                : DetectionFailure.DeadlinePassed(deadline);
        }
        catch (Exception exception) when (DetectionFailure.FromException(exception) is { } failure)
        {
            return failure;
        }
    }

    /// <summary>Admits the image, reads its header, plans the views, and admits those beyond the first.</summary>
    private async Task<Result<DetectionResult>> AdmitAsync(
        ModelLane lane,
        DetectionRequest request,
        ImageTurns? turns,
        TimeSpan deadline,
        Activity? trace,
        CancellationToken cancellationToken)
    {
        var started = clock.GetTimestamp();
        if (!await EnterAsync(lane, turns, 1, cancellationToken))
        {
            return DetectionFailure.QueueFull(options.QueueCapacity, lane.ExpectedTime);
        }

        var held = 1;
        try
        {
            if (IsOutOfReach(lane, held, started, deadline, out var expected))
            {
                return DetectionFailure.DeadlineOutOfReach(deadline, expected);
            }

            var outcome = decoder.Open(request.Image);
            if (!outcome.Succeeded)
            {
                return DetectionFailure.FromDecoder(outcome.Refusal);
            }

            using var opened = outcome.Image;
            var planned = ViewPlan.Create(lane, request, opened.Size, views);
            if (!planned.Succeeded)
            {
                return planned.Failure;
            }

            var plan = planned.Value;
            if (plan.Places > held)
            {
                if (!lane.TryEnter(plan.Places - held))
                {
                    // Holds nothing while it waits: two that kept a place each could wait for each other.
                    opened.ParkUnless(isTurn: false);
                    Leave(lane, turns, held);
                    held = 0;
                    if (!await EnterAsync(lane, turns, plan.Places, cancellationToken))
                    {
                        return DetectionFailure.NoRoom(plan.Places, options.QueueCapacity, lane.ExpectedTime);
                    }
                }

                held = plan.Places;
                if (IsOutOfReach(lane, held, started, deadline, out expected))
                {
                    return DetectionFailure.DeadlineOutOfReach(deadline, expected);
                }
            }

            request.Admitted?.Invoke(plan.Views.Count);
            return await RunAsync(lane, request, opened, plan, request.Arrived ?? started, trace, cancellationToken);
        }
        finally
        {
            if (held > 0)
            {
                Leave(lane, turns, held);
            }
        }
    }

    private static ValueTask<bool> EnterAsync(
        ModelLane lane, ImageTurns? turns, int places, CancellationToken cancellationToken) =>
        turns is null ? new(lane.TryEnter(places)) : turns.EnterAsync(lane, places, cancellationToken);

    private static void Leave(ModelLane lane, ImageTurns? turns, int places)
    {
        if (turns is null)
        {
            lane.Leave(places);
        }
        else
        {
            turns.Leave(lane, places);
        }
    }

    /// <summary>Whether an image would be answered after its deadline.</summary>
    /// <param name="lane">Its model.</param>
    /// <param name="places">Its places. Alone in the queue it runs despite the estimate: only a run can correct a bad
    /// estimate.</param>
    /// <param name="started">Time stamp from which the deadline counts.</param>
    /// <param name="deadline">The deadline.</param>
    /// <param name="expected">The time from then until it is answered, with those ahead of it.</param>
    private bool IsOutOfReach(
        ModelLane lane, int places, long started, TimeSpan deadline, out TimeSpan expected)
    {
        expected = clock.GetElapsedTime(started) + lane.ExpectedTime;
        return lane.Admitted > places && expected > deadline;
    }

    private async Task<Result<DetectionResult>> RunAsync(
        ModelLane lane,
        DetectionRequest request,
        OpenedImage opened,
        ViewPlan plan,
        long arrived,
        Activity? trace,
        CancellationToken cancellationToken)
    {
        var isLarge = decoding.WantsParts(opened);
        if (isLarge && request.IsDrawn)
        {
            return DetectionFailure.TooLargeToDraw(opened.Size);
        }

        var inParts = isLarge && plan.Views.Count > 1;
        if (inParts && lane.Model.Contract.ScalesRefusal is not null && plan.LooksAtWhole(opened.Size))
        {
            // It would be given the reduced picture enlarged to its own size again.
            return DetectionFailure.TooLargeToLookAt(opened.Size);
        }

        PictureRun.Inferred run;
        try
        {
            run = inParts
                ? await _run.RunInPartsAsync(lane, request, opened, plan, cancellationToken)
                : await _run.RunWholeAsync(lane, request, opened, plan, cancellationToken);
        }
        catch (ImageRefusedException exception)
        {
            return DetectionFailure.FromDecoder(exception.Outcome);
        }

        var (inferred, decode) = run;
        var contract = lane.Model.Contract;
        var merging = clock.GetTimestamp();
        var (detections, explanation) = inferred.Length == 1
            ? (inferred[0].Detections, inferred[0].Explanation)
            : MergedViews.Merge(contract, plan, inferred, opened.Size, request.Explain, cancellationToken);
        var merged = inferred.Length == 1 ? TimeSpan.Zero : clock.GetElapsedTime(merging);
        var result = new DetectionResult
        {
            Contract = contract,
            Detections = detections,
            Explanation = explanation,
            Proposals = inferred[0].Proposals,
            Regions = inferred[0].Regions,
            Size = opened.Size,
            Format = opened.Format,
            BatchSize = inferred.Max(view => view.BatchSize),
            ViewCount = inferred.Length,
            HasViews = !plan.Options.IsOneView,
            Times = StageTimes.Sum(decode.Time, inferred, merged, clock.GetElapsedTime(arrived)),
        };
        DetectionTracing.WriteStages(
            trace, decode, inferred, result.HasDetections ? detections.Count : null, clock);
        return result;
    }
}
