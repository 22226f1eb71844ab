using System.Globalization;
using Fpn.Detection.Geometry;

namespace Fpn.Detection.Views;

/// <summary>Which looks at an image are taken, and how what they show is merged.</summary>
/// <remarks>The views are every region (the slices, the whole image) at every scale, as it is and, with
/// <see cref="Flip"/>, mirrored.</remarks>
public sealed record ViewOptions
{
    /// <summary>The smallest side of a slice and the smallest scale, in pixels: less is smaller than the smallest
    /// anchor.</summary>
    public const int SmallestSide = 32;

    /// <summary>The largest side of a slice and the largest scale, in pixels.</summary>
    public const int LargestSide = 16384;

    /// <summary>The largest overlap: ten times as many slices in a row as without any.</summary>
    public const double LargestOverlap = 0.9;

    /// <summary>The most scales.</summary>
    public const int MostScales = 16;

    /// <summary>The overlap of boxes from which they vote, unless it is given: Detectron's.</summary>
    private const double VotingThreshold = 0.8;

    /// <summary>The part of the smaller box from which it goes, unless it is given.</summary>
    private const double IosThreshold = 0.5;

    /// <summary>One look at the whole image in the model's own size.</summary>
    public static ViewOptions OneView { get; } = new();

    /// <summary>Height and width of slices, in pixels of the image; null, the default, does not cut it.</summary>
    public ImageSize? Slice { get; init; }

    /// <summary>The part of a slice that its neighbor shows, too, at least: 0 to <see cref="LargestOverlap"/>. Default
    /// 0.2.</summary>
    public double Overlap { get; init; } = 0.2;

    /// <summary>Whether slices are joined by a look at the whole image, which sees what is larger than a slice. Default
    /// true.</summary>
    public bool WholeImage { get; init; } = true;

    /// <summary>Shorter sides after resizing, in pixels, each a view of every region; empty, the default, for the
    /// model's own size.</summary>
    public IReadOnlyList<int> Scales { get; init; } = [];

    /// <summary>Whether every view is taken a second time, mirrored. Default false.</summary>
    public bool Flip { get; init; }

    /// <summary>How boxes are merged. Default <see cref="MergeMethod.Nms"/>.</summary>
    public MergeMethod Merge { get; init; }

    /// <summary>The overlap that merging acts upon, 0 to 1. Null, the default: the model's own NMS threshold for
    /// <see cref="MergeMethod.Nms"/>, 0.8 for <see cref="MergeMethod.Voting"/>, 0.5 for
    /// <see cref="MergeMethod.Ios"/>.</summary>
    public double? MergeThreshold { get; init; }

    /// <summary>Whether this is <see cref="OneView"/>, whatever merging would do.</summary>
    public bool IsOneView => Slice is null && Scales.Count == 0 && !Flip;

    /// <summary>What <see cref="TryParseSlice"/> asks for, to follow a name.</summary>
    public static string SliceRule =>
        $"must be a side such as 640, or height x width such as 480x640, in pixels from {SmallestSide} to "
        + $"{LargestSide}";

    /// <summary>What scales have to be, to follow a name.</summary>
    public static string ScalesRule =>
        $"must hold at most {MostScales} whole numbers of pixels from {SmallestSide} to {LargestSide}";

    /// <summary>Returns whether a number may be a scale or a side of a slice.</summary>
    public static bool IsSide(int pixels) => pixels is >= SmallestSide and <= LargestSide;

    /// <summary>Reads the size of slices.</summary>
    /// <param name="text"><c>640</c> for a square, or height and width as in <c>480x640</c>.</param>
    /// <param name="slice">The size; default where the text has another form or a side is out of range.</param>
    public static bool TryParseSlice(string text, out ImageSize slice)
    {
        ArgumentNullException.ThrowIfNull(text);
        var sides = text.Split('x');
        slice = default;
        if (sides.Length > 2 || !TryParseSide(sides[0], out var height) || !TryParseSide(sides[^1], out var width))
        {
            return false;
        }

        slice = new ImageSize(height, width);
        return true;
    }

    /// <summary>Reads a scale or a side of a slice.</summary>
    /// <param name="text">A whole number.</param>
    /// <param name="side">Pixels; undefined where the text is not a number or out of range.</param>
    public static bool TryParseSide(string text, out int side) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out side) && IsSide(side);

    /// <summary>The threshold that merging uses.</summary>
    /// <param name="nmsThreshold">The model's own.</param>
    public double MergeThresholdOr(double nmsThreshold) => MergeThreshold ?? Merge switch
    {
        MergeMethod.Voting => VotingThreshold,
        MergeMethod.Ios => IosThreshold,
        _ => nmsThreshold,
    };

    /// <summary>Counts the views of an image without making them.</summary>
    /// <param name="image">Its size; both sides at least 1.</param>
    /// <returns>At least 1.</returns>
    public long Count(ImageSize image) => Regions(image) * Math.Max(1, Scales.Count) * (Flip ? 2 : 1);

    /// <summary>Lists the views of an image: region by region, the whole image first and slices row by row; scale by
    /// scale in their order; each before its mirror image.</summary>
    /// <param name="image">Its size; both sides at least 1. <see cref="Count"/> says how many views there will
    /// be.</param>
    public View[] List(ImageSize image)
    {
        var views = new List<View>(checked((int)Count(image)));
        if (IsUncut(image) || WholeImage)
        {
            Add(new PixelRectangle(image));
        }

        if (!IsUncut(image))
        {
            var (height, width) = Slice!.Value;
            foreach (var (top, bottom) in Spans(image.Height, height))
            {
                foreach (var (left, right) in Spans(image.Width, width))
                {
                    Add(new PixelRectangle(left, top, right, bottom));
                }
            }
        }

        return [.. views];

        void Add(PixelRectangle region)
        {
            foreach (var scale in Scales.Count > 0 ? Scales.Select(scale => (int?)scale) : [null])
            {
                views.Add(new View(region, scale));
                if (Flip)
                {
                    views.Add(new View(region, scale, IsMirrored: true));
                }
            }
        }
    }

    /// <summary>Counts the different parts of an image that are looked at.</summary>
    /// <param name="image">Its size; both sides at least 1.</param>
    public long Regions(ImageSize image)
    {
        if (IsUncut(image))
        {
            return 1;
        }

        var (height, width) = Slice!.Value;
        return ((long)Pieces(image.Height, height) * Pieces(image.Width, width)) + (WholeImage ? 1 : 0);
    }

    /// <summary>Whether the only slice would be the image itself.</summary>
    private bool IsUncut(ImageSize image) =>
        Slice is not { } slice || (image.Height <= slice.Height && image.Width <= slice.Width);

    /// <summary>Slices along one axis: as few as reach from end to end with the overlap.</summary>
    private int Pieces(int length, int slice)
    {
        if (length <= slice)
        {
            return 1;
        }

        var step = Math.Max(1, slice - (int)(slice * Overlap));
        return (int)(((long)length - slice + step - 1) / step) + 1;
    }

    /// <summary>Where the slices along one axis begin and end: all of the same length and spread evenly, so that none
    /// reaches beyond the image and none overlaps its neighbor less than the others do.</summary>
    private IEnumerable<(int Start, int End)> Spans(int length, int slice)
    {
        var pieces = Pieces(length, slice);
        var side = Math.Min(slice, length);
        for (var i = 0; i < pieces; i++)
        {
            var start = pieces == 1 ? 0 : (int)((long)i * (length - side) / (pieces - 1));
            yield return (start, start + side);
        }
    }
}
