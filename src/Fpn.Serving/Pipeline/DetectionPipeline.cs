using System.Diagnostics;
using Fpn.Imaging.Decoding;
using Fpn.Models.Detectors;
using Fpn.Serving.Lanes;
using Fpn.Serving.Queue;
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
    /// <summary>Detects the objects of one image.</summary>
    /// <param name="lane">The model that answers; the caller holds a use of it until the task is done.</param>
    /// <param name="request">The image and how to answer it.</param>
    /// <returns>The detections, or an expected failure.</returns>
    /// <exception cref="OperationCanceledException">The caller went away.</exception>
    public async Task<Result<DetectionResult>> DetectAsync(ModelLane lane, DetectionRequest request)
    {
        using var trace = DetectionTracing.StartImage(lane.Model.Contract);
        try
        {
            var result = await AdmitAsync(lane, request, trace);
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

    private async Task<Result<DetectionResult>> AdmitAsync(ModelLane lane, DetectionRequest request, Activity? trace)
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

        if (!lane.TryEnter())
        {
            return DetectionFailure.QueueFull(options.QueueCapacity, lane.ExpectedTime);
        }

        var deadline = request.Timeout < options.Deadline ? request.Timeout.Value : options.Deadline;
        using var expiry = new CancellationTokenSource(deadline, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(
            request.Cancellation, request.GivenUp, expiry.Token);
        try
        {
            var expected = lane.ExpectedTime;

            // The only request runs despite the estimate: only a run can correct a bad estimate.
            return lane.Admitted > 1 && expected > deadline
                ? DetectionFailure.DeadlineOutOfReach(deadline, expected)
                : await OpenAsync(lane, request, deadline, trace, either.Token);
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
        finally
        {
            lane.Leave();
        }
    }

    /// <summary>Reads the header, plans the views, and admits those beyond the first.</summary>
    private async Task<Result<DetectionResult>> OpenAsync(
        ModelLane lane,
        DetectionRequest request,
        TimeSpan deadline,
        Activity? trace,
        CancellationToken cancellationToken)
    {
        var arrived = request.Arrived ?? clock.GetTimestamp();
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

        var places = planned.Value.Places;
        var more = places - 1;
        if (!lane.TryEnter(more))
        {
            return DetectionFailure.NoRoom(places, options.QueueCapacity, lane.ExpectedTime);
        }

        try
        {
            // Alone in the queue it runs despite the estimate, as a single image does.
            var expected = lane.ExpectedTime;
            return more > 0 && lane.Admitted > places && expected > deadline
                ? DetectionFailure.DeadlineOutOfReach(deadline, expected)
                : await RunAsync(lane, request, opened, planned.Value, arrived, trace, cancellationToken);
        }
        finally
        {
            lane.Leave(more);
        }
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
        Inferred run;
        try
        {
            run = plan.Views.Count > 1 && decoding.WantsParts(opened)
                ? await RunInPartsAsync(lane, request, opened, plan, cancellationToken)
                : await RunWholeAsync(lane, request, opened, plan, cancellationToken);
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

    /// <summary>Decodes the picture and runs its views.</summary>
    /// <exception cref="ImageRefusedException">It cannot be decoded.</exception>
    private async Task<Inferred> RunWholeAsync(
        ModelLane lane,
        DetectionRequest request,
        OpenedImage opened,
        ViewPlan plan,
        CancellationToken cancellationToken)
    {
        if (opened.Size.Area > ImageDecoder.MostWholePixels)
        {
            // Refused at once: it need not wait for memory that is never used.
            throw new ImageRefusedException(opened.Decode());
        }

        var decode = default(StageSpan);
        var (decoded, lease) = await decoding.DecodeAsync(opened, opened.DecodedBytes, Decode, cancellationToken);

        // Nothing of the codec is held through the queue.
        opened.Dispose();
        if (!decoded.Succeeded)
        {
            lease.Dispose();
            throw new ImageRefusedException(decoded);
        }

        using var picture = new SharedPicture(decoded.Image, lease);
        var source = new WholePicture(plan, picture);
        return new Inferred(await ViewInference.RunAsync(lane, request, plan, source, cancellationToken), decode);

        DecodeOutcome Decode()
        {
            var start = clock.GetTimestamp();
            var outcome = opened.Decode();
            decode = new StageSpan(start, clock.GetElapsedTime(start));
            return outcome;
        }
    }

    /// <summary>Runs the views, each of which decodes its own part.</summary>
    /// <exception cref="ImageRefusedException">A part cannot be decoded.</exception>
    private async Task<Inferred> RunInPartsAsync(
        ModelLane lane,
        DetectionRequest request,
        OpenedImage opened,
        ViewPlan plan,
        CancellationToken cancellationToken)
    {
        var start = clock.GetTimestamp();
        using var parts = new PictureParts(opened, plan, decoding, clock);
        var inferred = await ViewInference.RunAsync(lane, request, plan, parts, cancellationToken);
        return new Inferred(inferred, new StageSpan(start, parts.DecodingTime));
    }

    /// <summary>What the views show, and the decoding before or between them.</summary>
    private readonly record struct Inferred(InferredImage[] Views, StageSpan Decode);
}
