using Fpn.Detection.Geometry;
using Fpn.Detection.Views;
using Fpn.Models.Detectors;
using Fpn.Models.Packages;
using Fpn.Serving.Requests;

namespace Fpn.Serving.Pipeline;

/// <summary>Makes one answer of what the views of an image show.</summary>
internal static class MergedViews
{
    /// <summary>Merges detections.</summary>
    /// <param name="contract">The model.</param>
    /// <param name="plan">At least two views.</param>
    /// <param name="inferred">What each of them shows.</param>
    /// <param name="image">The image's size.</param>
    /// <param name="explain">Whether each view has an explanation, and the answer gets one.</param>
    /// <param name="cancellationToken">Gives up: many views have many boxes.</param>
    /// <returns>The detections, best first, and how they came about; null unless that was asked for.</returns>
    /// <exception cref="OperationCanceledException">Merging was given up.</exception>
    /// <remarks>As many detections as the model may give for one image, for each part of the image that was looked
    /// at.</remarks>
    public static (IReadOnlyList<DetectedObject> Detections, Explanation? Explanation) Merge(
        ModelContract contract,
        ViewPlan plan,
        IReadOnlyList<InferredImage> inferred,
        ImageSize image,
        bool explain,
        CancellationToken cancellationToken)
    {
        List<ViewBox> boxes = [];
        List<(int View, int Detection)> origins = [];
        for (var view = 0; view < inferred.Count; view++)
        {
            var found = inferred[view].Detections;
            for (var i = 0; i < found.Count; i++)
            {
                var box = plan.Views[view].ToImage(found[i].Box);
                boxes.Add(new ViewBox(box, found[i].Score, found[i].Label, plan.Views[view].Cuts(box, image)));
                origins.Add((view, i));
            }
        }

        var heads = contract.RoiHeads;
        var merger = new ViewMerger(plan.Options, heads.NmsThreshold, heads.MaxShiftedBoxes);
        var most = Math.Min(Array.MaxLength, heads.DetectionsPerImage * plan.Options.Regions(image));
        var merged = merger.Merge(boxes.ToArray(), (int)most, findRemovers: explain, cancellationToken);
        var detections = new DetectedObject[merged.Kept.Count];
        for (var place = 0; place < detections.Length; place++)
        {
            var (view, detection) = origins[merged.Kept[place]];
            detections[place] = inferred[view].Detections[detection] with { Box = merged.Boxes[place] };
        }

        return (detections, explain ? Explain(plan, inferred, boxes, origins, merged, detections) : null);
    }

    private static Explanation Explain(
        ViewPlan plan,
        IReadOnlyList<InferredImage> inferred,
        List<ViewBox> boxes,
        List<(int View, int Detection)> origins,
        MergedBoxes merged,
        DetectedObject[] detections)
    {
        var removers = merged.Removers!;
        var removed = Enumerable.Range(0, boxes.Count)
            .Where(index => removers[index] >= 0)
            .ToLookup(
                index => removers[index],
                index => new MergedObject(boxes[index].Box, boxes[index].Score, origins[index].View));
        List<ExplainedProposal> proposals = [];
        var starts = new int[inferred.Count];
        var candidates = 0;
        for (var view = 0; view < inferred.Count; view++)
        {
            var (seen, explained) = (plan.Views[view], inferred[view].Explanation!);
            starts[view] = proposals.Count;
            candidates += explained.Candidates;
            proposals.AddRange(explained.Proposals.Select(proposal => proposal with
            {
                Box = seen.ToImage(proposal.Box),
                Anchor = proposal.Anchor with { Box = seen.ToImage(proposal.Anchor.Box) },
                View = view,
            }));
        }

        var explanations = new ExplainedDetection[detections.Length];
        for (var place = 0; place < detections.Length; place++)
        {
            var (view, index) = origins[merged.Kept[place]];
            var detection = inferred[view].Explanation!.Detections[index];
            explanations[place] = new ExplainedDetection(
                detections[place],
                starts[view] + detection.Proposal,
                [
                    .. detection.Suppressed.Select(suppressed => suppressed with
                    {
                        Box = plan.Views[view].ToImage(suppressed.Box),
                        Proposal = starts[view] + suppressed.Proposal,
                    }),
                ])
            {
                View = view,
                Merged = [.. removed[place].OrderByDescending(other => other.Score)],
            };
        }

        return new Explanation(explanations, proposals, candidates) { Views = plan.Views };
    }
}
