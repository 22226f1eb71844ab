using System.Globalization;
using Fpn.Detection.Geometry;
using Fpn.Models.Detectors;
using Fpn.Models.Options;

namespace Fpn.Serving.Sizing;

/// <summary>The sizes that batches are padded to: few, so that a GPU sees few shapes; close, so that little is
/// padded.</summary>
/// <remarks>
/// Padding beyond the divisor changes answers a little: zeros become non-zero after the first bias and leak back
/// through the convolutions. On a CPU, where batching gains nothing, every image therefore keeps its own padded size.
/// </remarks>
internal sealed class ShapeBuckets
{
    /// <summary>
    /// Long side over short side that most photographs fit into: 4:3. Others use the longest buckets. Each bucket
    /// costs a GPU a session a batch size, with the weights again, so there are few.
    /// </summary>
    private const double CommonRatio = 4.0 / 3;

    private ShapeBuckets(IReadOnlyList<ImageSize> sizes) => Sizes = sizes;

    /// <summary>All buckets, smallest area first; empty when every image keeps its own size.</summary>
    public IReadOnlyList<ImageSize> Sizes { get; }

    /// <summary>Makes the buckets of a model.</summary>
    /// <param name="setting"><see cref="BatchingOptions.Buckets"/>.</param>
    /// <param name="shapesAreFixed">Whether <c>auto</c> derives sizes.</param>
    /// <param name="detector">The model; its input rule gives the derived sizes.</param>
    /// <exception cref="InvalidOptionException">The setting is not valid.</exception>
    public static ShapeBuckets Create(string setting, bool shapesAreFixed, IDetector detector) =>
        setting.Trim().ToLowerInvariant() switch
        {
            "off" => new([]),

            // A graph with everything inside takes padding for a part of the picture.
            _ when detector.LargestBatch == 1 => new([]),
            "auto" when !shapesAreFixed => new([]),
            "auto" or "derived" => new(Derive(detector)),
            var list => new(Order(list.Split(',').Select(size => Parse(size, detector.Contract.Input.SizeDivisor)))),
        };

    /// <summary>The bucket of an image: the smallest that holds it, or its own size where none does.</summary>
    public ImageSize BucketFor(ImageSize padded)
    {
        foreach (var size in Sizes)
        {
            if (padded.Height <= size.Height && padded.Width <= size.Width)
            {
                return size;
            }
        }

        return padded;
    }

    /// <summary>The padded sizes of common photographs, upright and lying, and those of the longest images: four at
    /// most.</summary>
    private static IReadOnlyList<ImageSize> Derive(IDetector detector)
    {
        const int Side = 6000;
        var input = detector.Contract.Input;
        var longest = Math.Max(1, input.MaxSize / (double)input.MinSize);
        var sizes = new List<ImageSize>();
        foreach (var ratio in new[] { Math.Min(CommonRatio, longest), longest })
        {
            var lying = detector.Measure(new ImageSize((int)Math.Round(Side / ratio), Side)).Padded;
            sizes.Add(lying);
            sizes.Add(new ImageSize(lying.Width, lying.Height));
        }

        return Order(sizes);
    }

    private static IReadOnlyList<ImageSize> Order(IEnumerable<ImageSize> sizes) =>
        [.. sizes.Distinct().OrderBy(size => size.Area).ThenBy(size => size.Height)];

    private static ImageSize Parse(string text, int divisor)
    {
        var sides = text.Trim().Split('x');
        return sides.Length == 2
            && int.TryParse(sides[0], NumberStyles.None, CultureInfo.InvariantCulture, out var height)
            && int.TryParse(sides[1], NumberStyles.None, CultureInfo.InvariantCulture, out var width)
            && height is >= 1 and <= 16384
            && width is >= 1 and <= 16384
            && height % divisor == 0
            && width % divisor == 0
            ? new ImageSize(height, width)
            : throw new InvalidOptionException(
                $"Setting 'Fpn:Batching:Buckets' must be auto, off, derived, or sizes in multiples of {divisor} such "
                + $"as 800x1088,1088x800; it holds '{text}'.");
    }
}
