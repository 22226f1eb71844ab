using System.Diagnostics;
using Fpn.Detection.Geometry;
using Fpn.Imaging.Decoding;
using Fpn.Models.Execution.Devices;
using Fpn.Serving.Lanes;
using Fpn.Serving.Requests;
using Fpn.Serving.Sizing;
using Fpn.Serving.Telemetry;

namespace Fpn.Serving.Pipeline;

/// <summary>Takes an image from its bytes to its detections: admission, decoding, the model's lane.</summary>
/// <param name="decoder">Decodes.</param>
/// <param name="decodedBytes">Bounds the pixels in memory.</param>
/// <param name="options">Deadline.</param>
/// <param name="slots">Decoders side by side.</param>
/// <param name="clock">Tells the time.</param>
internal sealed class DetectionPipeline(
    ImageDecoder decoder, ByteBudget decodedBytes, BatchingOptions options, DecoderSlots slots, TimeProvider clock)
{
    /// <summary>Detects the objects of one image.</summary>
    /// <param name="lane">The model to ask; the caller holds a use of it until the task is done.</param>
    /// <param name="encoded">The image's bytes; must not change until the task is done.</param>
    /// <param name="priority">Who goes first when requests wait.</param>
    /// <param name="timeout">Shortens the deadline; null leaves the configured one.</param>
    /// <param name="cancellationToken">The caller went away.</param>
    /// <param name="givenUp">The caller does not need the answer any more, though its client is there.</param>
    /// <param name="explain">Whether the result says how it came about; refused as
    /// <see cref="DetectionFailure.NotExplainable"/> where the model cannot.</param>
    /// <exception cref="RequestGivenUpException">The caller gave the image up.</exception>
    /// <exception cref="OperationCanceledException">The caller went away.</exception>
    /// <exception cref="Fpn.Detection.Tensors.NonFiniteOutputException">The model gave NaN or infinity.</exception>
    /// <exception cref="ModelFailureException">The model failed.</exception>
#pragma warning disable CA1068 // What most callers leave out comes last, and a token is part of it.
    public async Task<DetectionResult> DetectAsync(
#pragma warning restore CA1068
        ModelLane lane,
        ReadOnlyMemory<byte> encoded,
        RequestPriority priority,
        TimeSpan? timeout,
        CancellationToken cancellationToken,
        CancellationToken givenUp = default,
        bool explain = false)
    {
        using var trace = DetectionTracing.StartImage(lane.Model.Contract);
        try
        {
            var result = await AdmitAsync(
                lane, encoded, priority, timeout, explain, trace, cancellationToken, givenUp);
            lane.Metrics.RecordAnswer(result);
            if (result.Failure is { } failure)
            {
                DetectionTracing.SetFailed(trace, FailureReason.OutcomeOf(failure), FailureReason.Of(failure));
            }

            return result;
        }
        catch (Exception exception)
        {
            lane.Metrics.RecordException(exception);
            var reason = FailureReason.Of(exception);
            DetectionTracing.SetFailed(trace, FailureReason.OutcomeOf(reason), reason);
            throw;
        }
    }

    private async Task<DetectionResult> AdmitAsync(
        ModelLane lane,
        ReadOnlyMemory<byte> encoded,
        RequestPriority priority,
        TimeSpan? timeout,
        bool explain,
        Activity? trace,
        CancellationToken cancellationToken,
        CancellationToken givenUp)
    {
        if (explain && lane.Model.Contract.ExplainRefusal is { } refusal)
        {
            // Here, since a batch that meets it can only fail, and would try its images alone.
            return DetectionResult.Failed(DetectionFailure.NotExplainable, refusal);
        }

        if (!lane.TryEnter())
        {
            return DetectionResult.QueueFull(options.QueueCapacity, lane.ExpectedTime);
        }

        var deadline = timeout < options.Deadline ? timeout.Value : options.Deadline;
        using var expiry = new CancellationTokenSource(deadline, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, givenUp, expiry.Token);
        try
        {
            var expected = lane.ExpectedTime;

            // With nobody ahead it runs whatever the estimate says: the next measurement is the only way back from a bad one.
            return lane.Admitted > 1 && expected > deadline
                ? DetectionResult.DeadlineOutOfReach(deadline, expected)
                : await RunAsync(lane, encoded, priority, explain, trace, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && givenUp.IsCancellationRequested)
        {
            throw new RequestGivenUpException(givenUp);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return DetectionResult.DeadlinePassed(deadline, lane.ExpectedTime);
        }
        catch (ShuttingDownException exception)
        {
            return DetectionResult.Failed(DetectionFailure.ShuttingDown, exception.Message);
        }
        catch (DeviceLostException exception)
        {
            return DetectionResult.Failed(DetectionFailure.DeviceLost, exception.Message);
        }
        finally
        {
            lane.Leave();
        }
    }

    private async Task<DetectionResult> RunAsync(
        ModelLane lane,
        ReadOnlyMemory<byte> encoded,
        RequestPriority priority,
        bool explain,
        Activity? trace,
        CancellationToken cancellationToken)
    {
        var arrived = clock.GetTimestamp();
        var opened = decoder.Open(encoded);
        if (!opened.Succeeded)
        {
            return DetectionResult.OfDecoder(opened.Refusal);
        }

        var (decoded, lease, decodeStart, decodeEnd) = await DecodeAsync(opened.Image, cancellationToken);
        if (!decoded.Succeeded)
        {
            lease.Dispose();
            return DetectionResult.OfDecoder(decoded);
        }

        var image = decoded.Image;
        ImageSize bucket;
        try
        {
            bucket = lane.Buckets.Of(lane.Model.Measure(image.Size).Padded);
        }
        catch
        {
            image.Dispose();
            lease.Dispose();
            throw;
        }

        var (size, format) = (image.Size, image.Format);
        var inferred = await lane.Batcher.InferAsync(image, lease, bucket, priority, cancellationToken, explain);
        var decode = clock.GetElapsedTime(decodeStart, decodeEnd);
        var run = inferred.Run;
        var (preprocess, inference, postprocess) = (run.Preprocess.Time, run.Inference.Time, inferred.Postprocess.Time);
        var total = clock.GetElapsedTime(arrived);
        DetectionTracing.WriteStages(trace, new StageSpan(decodeStart, decode), inferred, clock);
        return new DetectionResult
        {
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
