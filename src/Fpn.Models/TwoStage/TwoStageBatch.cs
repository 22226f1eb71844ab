using Fpn.Detection.Geometry;
using Fpn.Detection.Proposals;
using Fpn.Models.Detectors;

namespace Fpn.Models.TwoStage;

/// <summary>What both graphs gave for a batch.</summary>
/// <param name="detector">Whose it is; gets the workspace back.</param>
/// <param name="geometries">Sizes of each image.</param>
/// <param name="workspace">Proposals and their rows; lent.</param>
/// <param name="outputs">Class logits and box deltas, or null when there was no RoI; owned.</param>
internal sealed class TwoStageBatch(
    TwoStageDetector detector,
    IReadOnlyList<ImageGeometry> geometries,
    TwoStageWorkspace workspace,
    HeadOutputs? outputs) : InferredBatch
{
    private TwoStageWorkspace? _workspace = workspace;

    private TwoStageWorkspace Workspace => _workspace ?? throw new ObjectDisposedException(nameof(TwoStageBatch));

    /// <summary>The proposals of one image, best first; valid until this object is disposed.</summary>
    public ProposalList Proposals(int image) => Workspace.Proposals[image];

    /// <summary>The level that one of an image's proposals was pooled from: its place among the pooled
    /// levels.</summary>
    public int PooledLevel(int image, int proposal) => Workspace.PooledLevel(image, proposal);

    /// <inheritdoc/>
    public override DetectedObject[] Select(int image)
    {
        var work = Workspace;
        if (outputs is null || work.Proposals[image].Count == 0)
        {
            return [];
        }

        var geometry = geometries[image];
        var proposals = work.Proposals[image];
        work.DetectionSelector.Select(
            outputs.ClassLogits,
            outputs.BoxDeltas,
            proposals.Boxes,
            work.Rows(image),
            geometry.Resized,
            geometry.Original,
            work.Detections);

        var found = new DetectedObject[work.Detections.Count];
        for (var i = 0; i < found.Length; i++)
        {
            var detection = work.Detections.Detections[i];
            var level = detector.PooledLevelName(work.PooledLevel(image, detection.Proposal));
            found[i] = new DetectedObject(detection.Box, detection.Score, detection.Label, level);
        }

        return found;
    }

    /// <inheritdoc/>
    public override ExplainedProposal[] Propose(int image)
    {
        var (proposals, geometry) = (Workspace.Proposals[image], geometries[image]);
        var explained = new ExplainedProposal[proposals.Count];
        for (var i = 0; i < explained.Length; i++)
        {
            var anchor = proposals.AnchorFor(i);
            explained[i] = new ExplainedProposal(
                BoxOperations.ToOriginal(proposals.Boxes[i], geometry.Resized, geometry.Original),
                proposals.Scores[i],
                detector.Contract.Anchors.Levels[anchor.Level].Name,
                new ExplainedAnchor(
                    BoxOperations.Scale(anchor.Box, geometry.Resized, geometry.Original),
                    anchor.Size,
                    anchor.AspectRatio));
        }

        return explained;
    }

    /// <inheritdoc/>
    public override ClassifiedRegion?[] Classify(int image, RegionTask task)
    {
        var classified = new ClassifiedRegion?[task.Boxes.Count];
        if (outputs is null)
        {
            return classified;
        }

        var (work, geometry) = (Workspace, geometries[image]);
        var boxes = work.HeadBoxes(image);
        var rows = work.Rows(image);
        var classLogits = outputs.ClassLogits;
        var boxDeltas = outputs.BoxDeltas;
        var scores = new float[work.RegionClassifier.Classes];
        var ranks = new ulong[2 * Math.Min(task.Top, scores.Length)];
        var next = 0;
        for (var i = 0; i < classified.Length; i++)
        {
            if (RegionTask.FindFault(task.Boxes[i], geometry.Original) is null)
            {
                var found = work.RegionClassifier.Classify(
                    classLogits, boxDeltas, rows[next], boxes[next], geometry.Resized, geometry.Original, scores);
                classified[i] = new ClassifiedRegion(
                    LabelScore.Best(scores, task.Top, ranks),
                    found.Background,
                    found.Box,
                    detector.PooledLevelName(work.PooledLevel(image, next)));
                next++;
            }
        }

        return classified;
    }

    /// <inheritdoc/>
    public override Explanation Explain(int image)
    {
        var objects = Select(image);
        var work = Workspace;
        var explained = Propose(image);

        // Without a proposal nothing was selected, and the workspace still shows the image before.
        if (explained.Length == 0)
        {
            return new Explanation([], [], Candidates: 0);
        }

        var suppressed = work.DetectionSelector.ListSuppressed().ToLookup(
            removed => removed.Detection,
            removed => new SuppressedObject(
                removed.Candidate.Box, removed.Candidate.Score, removed.Iou, removed.Candidate.Proposal));
        var detections = new ExplainedDetection[objects.Length];
        for (var i = 0; i < detections.Length; i++)
        {
            detections[i] = new ExplainedDetection(
                objects[i],
                work.Detections.Detections[i].Proposal,
                [.. suppressed[i].OrderByDescending(removed => removed.Score)]);
        }

        return new Explanation(detections, explained, work.DetectionSelector.CandidateCount);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        outputs?.Dispose();
        if (Interlocked.Exchange(ref _workspace, null) is { } lent)
        {
            detector.Return(lent);
        }
    }
}
