using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.RoiHeads;

namespace Fpn.Detection.Tests.RoiHeads;

/// <summary>Whole detection selection against the slow reference.</summary>
public class DetectionSelectorOracleTests
{
    private static readonly ImageSize Resized = new(600, 800);
    private static readonly ImageSize Original = new(375, 500);

    public static TheoryData<Convention, BoxDeltasLayout, string> Cases()
    {
        TheoryData<Convention, BoxDeltasLayout, string> cases = [];
        string[] kinds = ["random", "few", "ties", "equal", "extreme", "same proposals", "no area"];
        foreach (var convention in Enum.GetValues<Convention>())
        {
            foreach (var layout in Enum.GetValues<BoxDeltasLayout>())
            {
                foreach (var kind in kinds)
                {
                    cases.Add(convention, layout, kind);
                }
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Select_AnyOutputs_EqualsReference(Convention convention, BoxDeltasLayout layout, string kind)
    {
        RoiHeadsOptions options = new(ConventionTable.RulesFor(convention)) { Classes = 12, BoxDeltas = layout };
        var head = Make(options, kind);
        AssertEqual(head, options);
        AssertEqual(head, options with { ScoreThreshold = 0.01f, DetectionsPerImage = 1000 });
        AssertEqual(head, options with { ScoreThreshold = 0, NmsThreshold = 0.1 });
        AssertEqual(head, options with { ScoreThreshold = 0.99f });
        AssertEqual(head, options with { ScoreThreshold = -1, MinBoxSize = 30, DetectionsPerImage = 7 });
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void ListSuppressed_AnyOutputs_WithTheDetectionsIsEveryCandidate(
        Convention convention, BoxDeltasLayout layout, string kind)
    {
        var rules = ConventionTable.RulesFor(convention);

        // A side of 1 keeps an area in the original image, so that no detection is dropped as empty.
        RoiHeadsOptions options = new(rules)
        {
            Classes = 12,
            BoxDeltas = layout,
            MinBoxSize = rules.DropEmptyDetections ? 1 : rules.MinDetectionSize,
            NmsThreshold = 0.3,
            DetectionsPerImage = 150 * 12,
        };
        var head = Make(options, kind);
        DetectionSelector selector = new(options);
        DetectionList list = new();
        selector.Select(head.ClassLogits, head.BoxDeltas, head.Proposals, head.Rows, Resized, Original, list);
        var suppressed = selector.ListSuppressed();

        var unsuppressed = options with { NmsThreshold = 1 };
        var candidates = ReferenceDetections.Select(head, unsuppressed, Resized, Original);
        Assert.Equal(candidates.Length, selector.CandidateCount);
        Assert.Equal(
            candidates.ToHashSet(), [.. list.Detections.ToArray(), .. suppressed.Select(removed => removed.Candidate)]);
        Assert.Equal(candidates.Length, list.Count + suppressed.Count);
        Assert.All(suppressed, removed =>
        {
            var detection = list.Detections[removed.Detection];
            Assert.Equal(detection.Label, removed.Candidate.Label);
            Assert.True(detection.Score >= removed.Candidate.Score);
            Assert.InRange(removed.Iou, 0.3f, 1);
        });
    }

    [Fact]
    public void Select_SteadyState_AllocatesNothing()
    {
        foreach (var rules in new[] { ConventionTable.Torchvision, ConventionTable.Detectron2 })
        {
            RoiHeadsOptions options = new(rules) { Classes = 12, ScoreThreshold = 0.01f, MinBoxSize = 1e-2f };
            var head = Make(options, "random");
            DetectionSelector selector = new(options);
            DetectionList detections = new();
            selector.Select(head.ClassLogits, head.BoxDeltas, head.Proposals, head.Rows, Resized, Original, detections);
            selector.Select(head.ClassLogits, head.BoxDeltas, head.Proposals, head.Rows, Resized, Original, detections);
            var before = GC.GetAllocatedBytesForCurrentThread();
            selector.Select(head.ClassLogits, head.BoxDeltas, head.Proposals, head.Rows, Resized, Original, detections);
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.Equal(100, detections.Count);
        }
    }

    private static HeadOutputs Make(RoiHeadsOptions options, string kind)
    {
        RandomTensors random = new(1);
        var count = kind == "few" ? 30 : 150;
        var boxesPerRow = options.BoxDeltas switch
        {
            BoxDeltasLayout.PerClassWithBackground => options.Classes + 1,
            BoxDeltasLayout.PerClass => options.Classes,
            _ => 1,
        };
        var logits = count * (options.Classes + 1);
        var deltas = count * boxesPerRow * 4;
        float[] extremes = [0, 1e38f, -1e38f, float.MaxValue, float.MinValue, 5, -5, 1e-45f];
        int[] rows = [.. Enumerable.Range(0, count)];
        random.Shuffle(rows);
        return new HeadOutputs(
            kind switch
            {
                "ties" => random.Coarse(logits, 3),
                "equal" => new float[logits],
                _ => random.Normal(logits, deviation: 2),
            },
            kind switch
            {
                "ties" or "same proposals" => new float[deltas],
                "extreme" => [.. Enumerable.Range(0, deltas)
                    .Select(_ => random.Below(30) == 0 ? extremes[random.Below(extremes.Length)] : random.Normal())],
                _ => random.Normal(deltas, deviation: 1.5f),
            },
            kind switch
            {
                "same proposals" => [.. Enumerable.Repeat(new Box(50, 60, 170, 180), count)],
                "no area" => [.. Enumerable.Range(0, count).Select(i => new Box(i, i, i + i % 2, i))],
                _ => random.Boxes(count, 590, 120),
            },
            rows);
    }

    private static void AssertEqual(HeadOutputs head, RoiHeadsOptions options)
    {
        DetectionList detections = new();
        new DetectionSelector(options).Select(
            head.ClassLogits, head.BoxDeltas, head.Proposals, head.Rows, Resized, Original, detections);
        Assert.Equal(ReferenceDetections.Select(head, options, Resized, Original), detections.Detections.ToArray());
    }
}
