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
/// resized as every picture is. A part that is looked at in several sizes, or mirrored, is decoded once, and kept until
/// the last of these views has taken it: they follow one another. The whole is reduced for each size, as a plain
/// request of that size would reduce it.
/// </remarks>
internal sealed class PictureParts : ViewSource, IDisposable
{
    /// <summary>Pixels of the reduced picture for each pixel of the resized one: twice as many along each side leave
    /// the resizing something to choose from.</summary>
    private const int ReducedPixels = 4;

    private readonly OpenedImage _opened;
    private readonly ViewPlan _plan;
    private readonly PictureDecoding _decoding;
    private readonly TimeProvider _clock;

    /// <summary>How many views have still to take each part.</summary>
    private readonly Dictionary<Part, int> _wanted = [];

    /// <summary>An opened image decodes one part at a time.</summary>
    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>The part that was decoded last, while other views want it.</summary>
    private (Part Part, SharedPicture Picture)? _kept;

    /// <summary>Prepares to decode; nothing is decoded yet.</summary>
    /// <param name="opened">The picture; in use as long as this.</param>
    /// <param name="plan">The views.</param>
    /// <param name="decoding">Decodes when there is memory.</param>
    /// <param name="clock">Measures decoding.</param>
    public PictureParts(OpenedImage opened, ViewPlan plan, PictureDecoding decoding, TimeProvider clock)
    {
        (_opened, _plan, _decoding, _clock) = (opened, plan, decoding, clock);
        for (var view = 0; view < plan.Views.Count; view++)
        {
            var part = PartFor(view);
            _wanted[part] = _wanted.GetValueOrDefault(part) + 1;
        }
    }

    /// <inheritdoc/>
    public override bool IsDecoded => false;

    /// <summary>Time that was spent on decoding parts so far.</summary>
    public TimeSpan DecodingTime { get; private set; }

    /// <inheritdoc/>
    public override async ValueTask<(MeasuredImage Image, SharedPicture Picture)> TakeAsync(
        int view, CancellationToken cancellationToken)
    {
        var picture = await TakePartAsync(PartFor(view), cancellationToken);
        var (_, minSize, isMirrored) = _plan.Views[view];
        var seen = new View(new PixelRectangle(picture.Image.Size), minSize, isMirrored);
        return (new MeasuredImage(picture.Image, seen, _plan.Geometries[view]), picture);
    }

    /// <summary>Lets the part go that is kept. No view is being taken any more.</summary>
    public void Dispose()
    {
        LetGo();
        _turn.Dispose();
    }

    private Part PartFor(int view)
    {
        var region = _plan.Views[view].Region;
        var isWhole = region == new PixelRectangle(_opened.Size);
        return new Part(region, isWhole ? ReducedPixels * _plan.Geometries[view].Resized.Area : null);
    }

    private async Task<SharedPicture> TakePartAsync(Part part, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_kept is { } kept && kept.Part == part)
            {
                return --_wanted[part] > 0 ? kept.Picture.Hold() : HandOver(kept.Picture);
            }

            // Nothing is held while this waits for memory.
            LetGo();
            var picture = await DecodeAsync(part, cancellationToken);
            if (--_wanted[part] > 0)
            {
                _kept = (part, picture.Hold());
            }

            return picture;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Gives the last view what was kept for it.</summary>
    private SharedPicture HandOver(SharedPicture picture)
    {
        _kept = null;
        return picture;
    }

    private void LetGo()
    {
        _kept?.Picture.Dispose();
        _kept = null;
    }

    private async Task<SharedPicture> DecodeAsync(Part part, CancellationToken cancellationToken)
    {
        var bytes = part.MaxPixels is { } most ? _opened.ReducedBytes(most) : _opened.RegionBytes(part.Region);
        var (decoded, lease) = await _decoding.DecodeAsync(_opened, bytes, Decode, cancellationToken);
        if (!decoded.Succeeded)
        {
            lease.Dispose();
            throw new ImageRefusedException(decoded);
        }

        return new SharedPicture(decoded.Image, lease);

        DecodeOutcome Decode()
        {
            var start = _clock.GetTimestamp();
            var outcome = part.MaxPixels is { } maxPixels
                ? _opened.DecodeReduced(maxPixels, cancellationToken)
                : _opened.DecodeRegion(part.Region, cancellationToken);
            DecodingTime += _clock.GetElapsedTime(start);
            return outcome;
        }
    }

    /// <summary>What is decoded for a view.</summary>
    /// <param name="Region">The rectangle.</param>
    /// <param name="MaxPixels">The most pixels of the whole picture reduced; null where the rectangle is decoded as it
    /// is.</param>
    private readonly record struct Part(PixelRectangle Region, long? MaxPixels);
}
