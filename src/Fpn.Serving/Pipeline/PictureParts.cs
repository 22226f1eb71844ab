using Fpn.Detection.Geometry;
using Fpn.Detection.Views;
using Fpn.Imaging.Decoding;
using Fpn.Models.Detectors;
using Fpn.Serving.Queue;

namespace Fpn.Serving.Pipeline;

/// <summary>A picture that is larger than memory allows: each view decodes its own part when it is its turn, and gives
/// the memory back when the model has seen it.</summary>
/// <remarks>
/// A look at the whole picture sees it reduced by a whole number (<see cref="OpenedImage.DecodeReduced"/>) before it is
/// resized as every picture is. A part that is looked at in several sizes, or mirrored, is decoded for each of them.
/// </remarks>
/// <param name="opened">The picture; in use as long as this.</param>
/// <param name="plan">The views.</param>
/// <param name="decoding">Decodes when there is memory.</param>
/// <param name="clock">Measures decoding.</param>
internal sealed class PictureParts(
    OpenedImage opened, ViewPlan plan, PictureDecoding decoding, TimeProvider clock) : ViewSource, IDisposable
{
    /// <summary>Pixels of the reduced picture for each pixel of the resized one: twice as many along each side leave
    /// the resizing something to choose from.</summary>
    private const int ReducedPixels = 4;

    /// <summary>An opened image decodes one part at a time.</summary>
    private readonly SemaphoreSlim _turn = new(1);

    /// <inheritdoc/>
    public override bool IsDecoded => false;

    /// <summary>Time that was spent on decoding parts so far.</summary>
    public TimeSpan DecodingTime { get; private set; }

    /// <inheritdoc/>
    public override async ValueTask<(MeasuredImage Image, SharedPicture Picture)> TakeAsync(
        int view, CancellationToken cancellationToken)
    {
        var (region, minSize, isMirrored) = plan.Views[view];
        var geometry = plan.Geometries[view];
        var reducedPixels = ReducedPixels * geometry.Resized.Area;
        var isWhole = region == new PixelRectangle(opened.Size);
        await _turn.WaitAsync(cancellationToken);
        DecodeOutcome decoded;
        IDisposable lease;
        try
        {
            (decoded, lease) = isWhole
                ? await decoding.DecodeAsync(
                    opened,
                    opened.ReducedBytes(reducedPixels),
                    () => Measure(() => opened.DecodeReduced(reducedPixels)),
                    cancellationToken)
                : await decoding.DecodeAsync(
                    opened,
                    opened.RegionBytes(region),
                    () => Measure(() => opened.DecodeRegion(region)),
                    cancellationToken);
        }
        finally
        {
            _turn.Release();
        }

        if (!decoded.Succeeded)
        {
            lease.Dispose();
            throw new ImageRefusedException(decoded);
        }

        var seen = new View(new PixelRectangle(decoded.Image.Size), minSize, isMirrored);
        return (new MeasuredImage(decoded.Image, seen, geometry), new SharedPicture(decoded.Image, lease));
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();

    private DecodeOutcome Measure(Func<DecodeOutcome> decode)
    {
        var start = clock.GetTimestamp();
        var outcome = decode();
        DecodingTime += clock.GetElapsedTime(start);
        return outcome;
    }
}
