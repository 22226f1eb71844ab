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
/// queue of every request, also of those that want no picture. Shares the decoders and the memory of
/// <see cref="DetectionPipeline"/>.
/// </remarks>
/// <param name="decoder">Decodes.</param>
/// <param name="painter">Draws and encodes.</param>
/// <param name="decodedBytes">Bounds the pixels in memory.</param>
/// <param name="slots">Bounds what runs side by side.</param>
/// <param name="options">Capacity and deadline.</param>
/// <param name="clock">Tells the time.</param>
internal sealed class PaintingPipeline(
    ImageDecoder decoder,
    DetectionPainter painter,
    ByteBudget decodedBytes,
    DecoderSlots slots,
    BatchingOptions options,
    TimeProvider clock)
{
    private int _admitted;

    /// <summary>Draws.</summary>
    /// <param name="encoded">The image's bytes, which were decoded before; must not change until the task is
    /// done.</param>
    /// <param name="objects">Best first.</param>
    /// <param name="encoding">PNG or JPEG.</param>
    /// <param name="timeout">Shortens the deadline; null leaves the configured one.</param>
    /// <param name="arrived">Time stamp from which the deadline counts.</param>
    /// <param name="cancellationToken">The caller went away.</param>
    /// <returns>The picture, which the caller disposes, or why there is none.</returns>
    /// <exception cref="OperationCanceledException">The caller went away.</exception>
    public async Task<PaintedPicture> PaintAsync(
        ReadOnlyMemory<byte> encoded,
        IReadOnlyList<PaintedObject> objects,
        PictureEncoding encoding,
        TimeSpan? timeout,
        long arrived,
        CancellationToken cancellationToken)
    {
        var deadline = timeout < options.Deadline ? timeout.Value : options.Deadline;
        var left = deadline - clock.GetElapsedTime(arrived);
        if (left <= TimeSpan.Zero)
        {
            return Late(deadline);
        }

        if (Interlocked.Increment(ref _admitted) > options.QueueCapacity)
        {
            Interlocked.Decrement(ref _admitted);
            return new PaintedPicture(DetectionResult.Failed(
                DetectionFailure.QueueFull,
                $"{options.QueueCapacity} pictures wait to be drawn already, which is the most."));
        }

        using var expiry = new CancellationTokenSource(left, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, expiry.Token);
        try
        {
            return await RunAsync(encoded, objects, encoding, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Late(deadline);
        }
        finally
        {
            Interlocked.Decrement(ref _admitted);
        }
    }

    private async Task<PaintedPicture> RunAsync(
        ReadOnlyMemory<byte> encoded,
        IReadOnlyList<PaintedObject> objects,
        PictureEncoding encoding,
        CancellationToken cancellationToken)
    {
        var outcome = decoder.Open(encoded);
        if (!outcome.Succeeded)
        {
            return new PaintedPicture(DetectionResult.OfDecoder(outcome.Refusal));
        }

        // The file is hardly ever larger than its pixels.
        using var opened = outcome.Image;
        var memory = decodedBytes.TakeAsync(2 * opened.DecodedBytes, cancellationToken);
        opened.ParkUnless(memory.IsCompleted);
        using var lease = await memory;
        var entry = slots.EnterAsync(cancellationToken);
        opened.ParkUnless(entry.IsCompleted);
        using var slot = await entry;

        // The bytes must outlive the decoder, so this is not given up half-way.
        return await Task.Run(() => Paint(opened, objects, encoding), CancellationToken.None);
    }

    private PaintedPicture Paint(
        OpenedImage opened, IReadOnlyList<PaintedObject> objects, PictureEncoding encoding)
    {
        var decoded = opened.Decode();
        if (!decoded.Succeeded)
        {
            return new PaintedPicture(DetectionResult.OfDecoder(decoded));
        }

        using (decoded.Image)
        {
            return new PaintedPicture(painter.Paint(decoded.Image, objects, encoding));
        }
    }

    private static PaintedPicture Late(TimeSpan deadline) => new(DetectionResult.Failed(
        DetectionFailure.DeadlinePassed,
        string.Create(
            CultureInfo.InvariantCulture,
            $"The deadline of {deadline.TotalMilliseconds:F0} ms passed before the picture was drawn.")));
}
