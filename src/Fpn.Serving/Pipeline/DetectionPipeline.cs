using System.Diagnostics;
using Fpn.Detection.Geometry;
using Fpn.Imaging.Decoding;
using Fpn.Models.Detectors;
using Fpn.Serving.Lanes;
using Fpn.Serving.Requests;
using Fpn.Serving.Sizing;
using Fpn.Serving.Telemetry;

namespace Fpn.Serving.Pipeline;

/// <summary>Takes an image from its bytes to its detections: admission, decoding, the model's lane.</summary>
internal sealed class DetectionPipeline(
    ImageDecoder decoder, ByteBudget decodedBytes, BatchingOptions options, DecoderSlots slots, TimeProvider clock)
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
        if (request.Explain && lane.Model.Contract.ExplainRefusal is { } refusal)
        {
            // Here, since a batch that meets it can only fail, and would try its images alone.
            return new DetectionFailure(FailureKind.NotExplainable, refusal);
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
                : await RunAsync(lane, request, trace, either.Token);
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

    private async Task<Result<DetectionResult>> RunAsync(
        ModelLane lane, DetectionRequest request, Activity? trace, CancellationToken cancellationToken)
    {
        var arrived = request.Arrived ?? clock.GetTimestamp();
        var opened = decoder.Open(request.Image);
        if (!opened.Succeeded)
        {
            return DetectionFailure.FromDecoder(opened.Refusal);
        }

        var (decoded, lease, decodeStart, decodeEnd) = await DecodeAsync(opened.Image, cancellationToken);
        if (!decoded.Succeeded)
        {
            lease.Dispose();
            return DetectionFailure.FromDecoder(decoded);
        }

        var image = decoded.Image;
        MeasuredImage measured;
        ImageSize bucket;
        try
        {
            measured = lane.Model.Measure(image);
            bucket = lane.Buckets.BucketFor(measured.Geometry.Padded);
        }
        catch
        {
            image.Dispose();
            lease.Dispose();
            throw;
        }

        var (size, format) = (image.Size, image.Format);
        var inferred = await lane.Batcher.InferAsync(request, measured, lease, bucket, cancellationToken);
        var decode = clock.GetElapsedTime(decodeStart, decodeEnd);
        var run = inferred.Run;
        var (preprocess, inference, postprocess) = (run.Preprocess.Time, run.Inference.Time, inferred.Postprocess.Time);
        var total = clock.GetElapsedTime(arrived);
        DetectionTracing.WriteStages(trace, new StageSpan(decodeStart, decode), inferred, clock);
        return new DetectionResult
        {
            Contract = lane.Model.Contract,
            Detections = inferred.Detections,
            Explanation = inferred.Explanation,
            Size = size,
            Format = format,
            BatchSize = inferred.BatchSize,
            Times = new StageTimes(
                decode,
                preprocess,
                Queue: total - decode - preprocess - inference - postprocess,
                inference,
                run.Parts,
                postprocess,
                total),
        };
    }

    /// <summary>Waits for memory and a decoder, and decodes.</summary>
    /// <param name="opened">Disposed in any case.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The outcome, the lease of its memory, and the time stamps of decoding alone.</returns>
    private async Task<(DecodeOutcome Decoded, IDisposable Lease, long Start, long End)> DecodeAsync(
        OpenedImage opened, CancellationToken cancellationToken)
    {
        using (opened)
        {
            var memory = decodedBytes.TakeAsync(opened.DecodedBytes, cancellationToken);
            opened.ParkUnless(memory.IsCompleted);
            var lease = await memory;
            try
            {
                var entry = slots.EnterAsync(cancellationToken);
                opened.ParkUnless(entry.IsCompleted);
                using var slot = await entry;
                var start = clock.GetTimestamp();

                // The bytes must outlive the decoder, so this is not given up half-way.
                var decoded = await Task.Run(opened.Decode, CancellationToken.None);
                return (decoded, lease, start, clock.GetTimestamp());
            }
            catch
            {
                lease.Dispose();
                throw;
            }
        }
    }
}
