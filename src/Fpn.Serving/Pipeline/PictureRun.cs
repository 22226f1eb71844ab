using Fpn.Imaging.Decoding;
using Fpn.Serving.Lanes;
using Fpn.Serving.Queue;
using Fpn.Serving.Requests;

namespace Fpn.Serving.Pipeline;

/// <summary>Decodes an admitted picture, as a whole or part by part, and runs its views.</summary>
/// <param name="decoding">Decodes when there is memory.</param>
/// <param name="clock">Measures decoding.</param>
internal sealed class PictureRun(PictureDecoding decoding, TimeProvider clock)
{
    /// <summary>Decodes the picture and runs its views.</summary>
    /// <param name="lane">The model.</param>
    /// <param name="request">Priority, and what is asked.</param>
    /// <param name="opened">The picture; disposed once it is decoded.</param>
    /// <param name="plan">The views.</param>
    /// <param name="cancellationToken">Gives all of them up.</param>
    /// <exception cref="ImageRefusedException">It cannot be decoded.</exception>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    public async Task<Inferred> RunWholeAsync(
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
    /// <inheritdoc cref="RunWholeAsync" path="/param|/exception"/>
    public async Task<Inferred> RunInPartsAsync(
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
    internal readonly record struct Inferred(InferredImage[] Views, StageSpan Decode);
}
