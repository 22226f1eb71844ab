using Fpn.Detection.Geometry;
using Fpn.Detection.Proposals;
using Fpn.Detection.RoiHeads;
using Fpn.Models.Detectors;
using Fpn.Models.Packages;

namespace Fpn.Models.TwoStage;

/// <summary>Buffers of one batch on its way through a two-stage model; reused, so that the steady state allocates
/// none.</summary>
/// <param name="contract">The model.</param>
/// <param name="headBuffers">Where the head's outputs go in fixed shapes, owned; null when each run allocates
/// them.</param>
internal sealed class TwoStageWorkspace(ModelContract contract, HeadBuffers? headBuffers) : IDisposable
{
    private const int RoiValues = 5;

    /// <summary>Features of a RoI take 50 KB in the usual head.</summary>
    private const int RowsWithoutShapes = 4096;

    /// <summary>The RoI that fills a batch up, whose result is ignored: a small box in the corner of the first
    /// image.</summary>
    private static readonly float[] FillingRoi = [0, 0, 0, 1, 1];

    private readonly List<ProposalList> _proposals = [];
    private readonly List<Box[]?> _given = [];
    private float[] _rois = [];
    private int[] _roisPerLevel = [];
    private int[] _rows = [];
    private int[] _pooledLevels = [];
    private int[] _imageStarts = [];

    /// <summary>Where the head's outputs go in fixed shapes; null when each run allocates them.</summary>
    public HeadBuffers? HeadBuffers => headBuffers;

    /// <summary>Classifies given regions.</summary>
    public RegionClassifier RegionClassifier { get; } = new(contract.RoiHeads);

    /// <summary>Chooses detections.</summary>
    public DetectionSelector DetectionSelector { get; } = new(contract.RoiHeads);

    /// <summary>Detections of the image at hand.</summary>
    public DetectionList Detections { get; } = new();

    /// <summary>Proposals of each image that has some of its own.</summary>
    public IReadOnlyList<ProposalList> Proposals => _proposals;

    /// <summary>RoIs of all images together.</summary>
    public int RoiCount { get; private set; }

    /// <summary>RoIs of all images, and those that fill them up.</summary>
    public int RowCount { get; private set; }

    /// <summary>RoIs that the head gets at once at most: as many as a batch of proposals may have, or some
    /// thousands.</summary>
    public int RowsPerPass { get; private set; }

    /// <summary>[R, 5] and at least one row of room: batch index and xyxy, pooled level by pooled level.</summary>
    public Memory<float> Rois => _rois;

    /// <summary>RoIs of each pooled level; those that fill them up belong to the last.</summary>
    public ReadOnlySpan<int> RoisPerLevel => _roisPerLevel;

    /// <summary>Makes room for a batch.</summary>
    public void Begin(PreparedBatch batch)
    {
        Images = batch.Geometries.Count;
        RoiCount = 0;
        _given.Clear();
        while (_proposals.Count < Images)
        {
            _proposals.Add(new ProposalList());
        }

        if (_imageStarts.Length < Images)
        {
            _imageStarts = new int[Images];
        }

        for (var image = 0; image < Images; image++)
        {
            _given.Add(batch.TaskFor(image) switch
            {
                ProposalTask => [],
                RegionTask regions => regions.ToResized(batch.Geometries[image]),
                _ => null,
            });
        }
    }

    /// <summary>Images of the batch.</summary>
    public int Images { get; private set; }

    /// <summary>[N] what the head looks at in an image: its proposals, or what is given in their place; xyxy,
    /// resized-image pixels.</summary>
    public ReadOnlySpan<Box> HeadBoxes(int image) => _given[image] is { } given ? given : _proposals[image].Boxes;

    /// <summary>Sorts the head's boxes of all images by pooled level, keeping their order inside a level, and notes
    /// where each went.</summary>
    /// <param name="levels">Which level a RoI is pooled from.</param>
    /// <param name="pooledLevels">Number of pooled levels.</param>
    /// <param name="shapes">If there are fixed ones, RoIs are added to the last level until the number of the last pass
    /// is one of these.</param>
    public void ArrangeRois(LevelAssigner levels, int pooledLevels, FixedShapes? shapes)
    {
        RoiCount = 0;
        for (var image = 0; image < Images; image++)
        {
            _imageStarts[image] = RoiCount;
            RoiCount += HeadBoxes(image).Length;
        }

        RowsPerPass = shapes?.RoiCounts[^1]
            ?? Math.Max(RowsWithoutShapes, Images * contract.Proposals.PostNmsTopN);
        var lastPass = RoiCount % RowsPerPass;
        RowCount = shapes is null || lastPass == 0 ? RoiCount : RoiCount - lastPass + shapes.RoiCountFor(lastPass);
        Grow(pooledLevels, RowCount);
        Array.Clear(_roisPerLevel);
        for (var image = 0; image < Images; image++)
        {
            var boxes = HeadBoxes(image);
            var assigned = _pooledLevels.AsSpan(_imageStarts[image], boxes.Length);
            levels.Assign(boxes, assigned);
            foreach (var level in assigned)
            {
                _roisPerLevel[level]++;
            }
        }

        // The row that each level's next RoI goes to.
        Span<int> next = stackalloc int[pooledLevels];
        for (var level = 1; level < pooledLevels; level++)
        {
            next[level] = next[level - 1] + _roisPerLevel[level - 1];
        }

        for (var image = 0; image < Images; image++)
        {
            var boxes = HeadBoxes(image);
            for (var i = 0; i < boxes.Length; i++)
            {
                var at = _imageStarts[image] + i;
                var row = next[_pooledLevels[at]]++;
                _rows[at] = row;
                var roi = _rois.AsSpan(row * RoiValues, RoiValues);
                (roi[0], roi[1], roi[2], roi[3], roi[4]) = (image, boxes[i].X1, boxes[i].Y1, boxes[i].X2, boxes[i].Y2);
            }
        }

        Fill(RoiCount, RowCount);
    }

    /// <summary>Fills the last level with RoIs whose results are ignored, to warm the head up.</summary>
    public void FillRois(int pooledLevels, int rois)
    {
        Images = 0;
        RoiCount = 0;
        Grow(pooledLevels, rois);
        Array.Clear(_roisPerLevel);
        Fill(from: 0, rois);
    }

    /// <summary>Row of each of an image's boxes in the head's outputs.</summary>
    public ReadOnlySpan<int> Rows(int image) => _rows.AsSpan(_imageStarts[image], HeadBoxes(image).Length);

    /// <summary>The pooled level of one of the head's boxes.</summary>
    public int PooledLevel(int image, int box) => _pooledLevels[_imageStarts[image] + box];

    /// <inheritdoc/>
    public void Dispose() => headBuffers?.Dispose();

    private void Fill(int from, int rois)
    {
        for (var row = from; row < rois; row++)
        {
            FillingRoi.CopyTo(_rois.AsSpan(row * RoiValues));
        }

        _roisPerLevel[^1] += rois - from;
    }

    private void Grow(int pooledLevels, int rois)
    {
        if (_rows.Length < rois || _rois.Length == 0)
        {
            var capacity = Math.Max(rois, contract.Proposals.PostNmsTopN);
            _rows = new int[capacity];
            _pooledLevels = new int[capacity];

            // One row more: an empty last level still needs an address. Pinned, since a graph reads it.
            _rois = GC.AllocateUninitializedArray<float>((capacity + 1) * RoiValues, pinned: true);
        }

        if (_roisPerLevel.Length != pooledLevels)
        {
            _roisPerLevel = new int[pooledLevels];
        }
    }
}
