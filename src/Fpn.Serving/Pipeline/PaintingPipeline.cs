using System.Globalization;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Painting;
using Fpn.Serving.Requests;
using Fpn.Serving.Sizing;

namespace Fpn.Serving.Pipeline;

/// <summary>Draws detections into the image that they were found in: admission, decoding once more, drawing,
/// encoding.</summary>
/// <remarks>
/// The pixels that the model saw are gone by then: keeping them until the answer would hold their memory through the
/// queue of every request, even those without a picture in the answer. Shares the decoders and the memory of
/// <see cref="DetectionPipeline"/>.
/// </remarks>
internal sealed class PaintingPipeline(
    ImageDecoder decoder,
    PictureDecoding decoding,
    DetectionPainter painter,
    BatchingOptions options,
    TimeProvider clock)
{
    private int _admitted;

    /// <summary>Draws.</summary>
    /// <param name="request">The image, which was decoded before. Its deadline counts from its arrival.</param>
    /// <param name="objects">Best first.</param>
    /// <param name="encoding">PNG or JPEG.</param>
    /// <returns>The picture, which the caller disposes, or an expected failure.</returns>
    /// <exception cref="OperationCanceledException">The caller went away.</exception>
    public async Task<Result<EncodedPicture>> PaintAsync(
        DetectionRequest request, IReadOnlyList<PaintedObject> objects, PictureEncoding encoding)
    {
        var deadline = request.Timeout < options.Deadline ? request.Timeout.Value : options.Deadline;
        var left = request.Arrived is { } arrived ? deadline - clock.GetElapsedTime(arrived) : deadline;
        if (left <= TimeSpan.Zero)
        {
            return Late(deadline);
        }

        if (Interlocked.Increment(ref _admitted) > options.QueueCapacity)
        {
            Interlocked.Decrement(ref _admitted);
            return new DetectionFailure(
                FailureKind.QueueFull,
                $"{options.QueueCapacity} pictures wait to be drawn already, which is the most.");
        }

        using var expiry = new CancellationTokenSource(left, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(request.Cancellation, expiry.Token);
        try
        {
            return await RunAsync(request.Image, objects, encoding, either.Token);
        }
        catch (OperationCanceledException) when (!request.Cancellation.IsCancellationRequested)
        {
            return Late(deadline);
        }
        finally
        {
            Interlocked.Decrement(ref _admitted);
        }
    }

    private async Task<Result<EncodedPicture>> RunAsync(
        ReadOnlyMemory<byte> encoded,
        IReadOnlyList<PaintedObject> objects,
        PictureEncoding encoding,
        CancellationToken cancellationToken)
    {
        var outcome = decoder.Open(encoded);
        if (!outcome.Succeeded)
        {
            return DetectionFailure.FromDecoder(outcome.Refusal);
        }

        using var opened = outcome.Image;
        if (decoding.WantsParts(opened))
        {
            return DetectionFailure.TooLargeToDraw(opened.Size);
        }

        // The file is hardly ever larger than its pixels.
        var (painted, lease) = await decoding.DecodeAsync(
            opened, 2 * opened.DecodedBytes, () => Paint(opened, objects, encoding), cancellationToken);
        lease.Dispose();
        return painted;
    }

    private Result<EncodedPicture> Paint(
        OpenedImage opened, IReadOnlyList<PaintedObject> objects, PictureEncoding encoding)
    {
        var decoded = opened.Decode();
        if (!decoded.Succeeded)
        {
            return DetectionFailure.FromDecoder(decoded);
        }

        using (decoded.Image)
        {
            return painter.Paint(decoded.Image, objects, encoding);
        }
    }

    private static DetectionFailure Late(TimeSpan deadline) => new(
        FailureKind.DeadlinePassed,
        string.Create(
            CultureInfo.InvariantCulture,
            $"The deadline of {deadline.TotalMilliseconds:F0} ms passed before the picture was drawn."));
}
