using Fpn.Detection.Geometry;

namespace Fpn.Models.Detectors;

/// <summary>
/// The shapes that the graphs of a model are run in: few, so that all of them can be tried before the first request and
/// no request ever waits while the GPU's libraries look for an algorithm.
/// </summary>
/// <remarks>
/// The backbone runs in a bucket with a batch size of the list: batches are filled up with blank images. The head runs
/// with a number of RoIs of the list: they are filled up with RoIs whose results are ignored. Neither changes another
/// image's numbers. Levels share the head's RoIs in any proportion: pooling needs no algorithm to be found, and
/// everything after it sees their sum only.
/// </remarks>
internal sealed class FixedShapes
{
    /// <summary>RoI counts between two powers of two, so that at most a fifth of the head's work is wasted.</summary>
    private const int StepsPerOctave = 4;

    private const int FewestRois = 16;

    private readonly int[] _batchSizes;
    private readonly int[] _roiCounts;
    private readonly HashSet<ImageSize> _buckets;

    /// <summary>Makes the lists; batch sizes double up to the largest.</summary>
    /// <param name="buckets">The sizes that images are padded to.</param>
    /// <param name="maxBatchSize">Images in a batch at most.</param>
    /// <param name="roisPerImage">RoIs of an image at most.</param>
    public FixedShapes(IReadOnlyList<ImageSize> buckets, int maxBatchSize, int roisPerImage)
        : this(buckets, Steps(1, maxBatchSize, 1).Append(maxBatchSize), roisPerImage)
    {
    }

    /// <summary>Makes the lists for certain batch sizes.</summary>
    /// <param name="buckets">The sizes that images are padded to.</param>
    /// <param name="batchSizes">Images in a batch, in any order; at least one.</param>
    /// <param name="roisPerImage">RoIs of an image at most.</param>
    public FixedShapes(IReadOnlyList<ImageSize> buckets, IEnumerable<int> batchSizes, int roisPerImage)
    {
        Buckets = buckets;
        _buckets = [.. buckets];
        _batchSizes = [.. batchSizes.Distinct().Order()];
        var maxBatchSize = _batchSizes[^1];

        // Most batches have as many RoIs as may be: those sizes fit exactly.
        _roiCounts =
        [
            .. Steps(FewestRois, maxBatchSize * roisPerImage, StepsPerOctave)
                .Concat(_batchSizes.Select(size => size * roisPerImage))
                .Distinct()
                .Order(),
        ];
    }

    /// <summary>The sizes that images are padded to.</summary>
    public IReadOnlyList<ImageSize> Buckets { get; }

    /// <summary>Batch sizes, rising: 1, 2, 4, 8, 16 …</summary>
    public IReadOnlyList<int> BatchSizes => _batchSizes;

    /// <summary>RoIs of a batch, rising.</summary>
    public IReadOnlyList<int> RoiCounts => _roiCounts;

    /// <summary>Whether each shape of the backbone has a session of its own.</summary>
    public bool SessionPerShape { get; init; }

    /// <summary>Backbone shapes: buckets times batch sizes.</summary>
    public int BackboneShapes => Buckets.Count * _batchSizes.Length;

    /// <summary>The batch size that so many images are filled up to; their own number where none fits.</summary>
    /// <param name="images">At least 1.</param>
    /// <param name="bucket">The batch's size; batches in others are left as they are.</param>
    public int BatchSizeFor(int images, ImageSize bucket) =>
        _buckets.Contains(bucket) ? AtLeast(_batchSizes, images) : images;

    /// <summary>The number that so many RoIs are filled up to; the number itself where none fits.</summary>
    /// <param name="rois">At least 1.</param>
    public int RoiCountFor(int rois) => AtLeast(_roiCounts, rois);

    private static int AtLeast(int[] sizes, int least)
    {
        var at = Array.BinarySearch(sizes, least);
        at = at < 0 ? ~at : at;
        return at < sizes.Length ? sizes[at] : least;
    }

    private static IEnumerable<int> Steps(int first, int last, int perOctave)
    {
        for (long octave = first; octave <= last; octave *= 2)
        {
            for (var step = 0; step < perOctave; step++)
            {
                // Where an octave has fewer whole numbers than steps, some come twice.
                var size = octave + (octave * step / perOctave);
                if (size <= last)
                {
                    yield return (int)size;
                }
            }
        }
    }
}
