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

    /// <summary>The RoI that fills a batch up, whose result is ignored: a small box in the corner of the first
    /// image.</summary>
    private static readonly float[] FillingRoi = [0, 0, 0, 1, 1];

    private readonly List<ProposalList> _proposals = [];
    private float[] _rois = [];
    private int[] _roisPerLevel = [];
    private int[] _rows = [];
    private int[] _pooledLevels = [];
    private int[] _imageStarts = [];

    /// <summary>Where the head's outputs go in fixed shapes; null when each run allocates them.</summary>
    public HeadBuffers? HeadBuffers => headBuffers;

    /// <summary>Chooses detections.</summary>
    public DetectionSelector DetectionSelector { get; } = new(contract.RoiHeads);

    /// <summary>Detections of the image at hand.</summary>
    public DetectionList Detections { get; } = new();

    /// <summary>Proposals of each image.</summary>
    public IReadOnlyList<ProposalList> Proposals => _proposals;

    /// <summary>RoIs of all images together.</summary>
    public int RoiCount { get; private set; }

    /// <summary>[R, 5] and at least one row of room: batch index and xyxy, pooled level by pooled level.</summary>
    public Memory<float> Rois => _rois;

    /// <summary>RoIs of each pooled level; those that fill them up belong to the last.</summary>
    public ReadOnlySpan<int> RoisPerLevel => _roisPerLevel;

    /// <summary>Makes room for a batch.</summary>
    public void Reset(int images)
    {
        while (_proposals.Count < images)
        {
            _proposals.Add(new ProposalList());
        }

        if (_imageStarts.Length < images)
        {
            _imageStarts = new int[images];
        }

        Images = images;
        RoiCount = 0;
    }

    /// <summary>Images of the batch.</summary>
    public int Images { get; private set; }

    /// <summary>Sorts the proposals of all images by pooled level, keeping their order inside a level, and notes where
    /// each went.</summary>
    /// <param name="levels">Which level a RoI is pooled from.</param>
    /// <param name="pooledLevels">Number of pooled levels.</param>
    /// <param name="shapes">If there are fixed ones, RoIs are added to the last level until their number is one of
    /// these.</param>
    public void ArrangeRois(LevelAssigner levels, int pooledLevels, FixedShapes? shapes)
    {
        RoiCount = 0;
        for (var image = 0; image < Images; image++)
        {
            _imageStarts[image] = RoiCount;
            RoiCount += _proposals[image].Count;
        }

        var filled = shapes is null || RoiCount == 0 ? RoiCount : shapes.RoiCountFor(RoiCount);
        Grow(pooledLevels, filled);
        Array.Clear(_roisPerLevel);
        for (var image = 0; image < Images; image++)
        {
            var assigned = _pooledLevels.AsSpan(_imageStarts[image], _proposals[image].Count);
            levels.Assign(_proposals[image].Boxes, assigned);
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
            var boxes = _proposals[image].Boxes;
            for (var i = 0; i < boxes.Length; i++)
            {
                var at = _imageStarts[image] + i;
                var row = next[_pooledLevels[at]]++;
                _rows[at] = row;
                var roi = _rois.AsSpan(row * RoiValues, RoiValues);
                (roi[0], roi[1], roi[2], roi[3], roi[4]) = (image, boxes[i].X1, boxes[i].Y1, boxes[i].X2, boxes[i].Y2);
            }
        }

        Fill(RoiCount, filled);
    }

    /// <summary>Fills the last level with RoIs whose results are ignored, to warm the head up.</summary>
    public void FillRois(int pooledLevels, int rois)
    {
        Reset(images: 0);
        Grow(pooledLevels, rois);
        Array.Clear(_roisPerLevel);
        Fill(from: 0, rois);
    }

    /// <summary>Row of each of an image's proposals in the head's outputs.</summary>
    public ReadOnlySpan<int> Rows(int image) => _rows.AsSpan(_imageStarts[image], _proposals[image].Count);

    /// <summary>The pooled level of one proposal.</summary>
    public int PooledLevel(int image, int proposal) => _pooledLevels[_imageStarts[image] + proposal];

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
