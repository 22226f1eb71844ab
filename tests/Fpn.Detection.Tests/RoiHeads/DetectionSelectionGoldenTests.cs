using System.Runtime.InteropServices;
using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.RoiHeads;
using Fpn.Detection.Tests.Goldens;
using Fpn.Testing.Goldens;

namespace Fpn.Detection.Tests.RoiHeads;

public sealed class DetectionSelectionGoldenTests
{
    private const float BoxTolerance = 1e-3f;
    private const float ScoreTolerance = 1e-6f;

    public static TheoryData<string> Cases => GoldenFolder.CasesIn("tensors", "detections");

    [Theory]
    [MemberData(nameof(Cases))]
    public void Select_RowsInOrder_EqualsReference(string name)
    {
        var golden = SelectionCase.Load(name);

        AssertDetections(
            golden, golden.ClassLogits, golden.BoxDeltas, [.. Enumerable.Range(0, golden.Proposals.Length)]);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Select_RowsOfAnotherOrder_EqualsReference(string name)
    {
        // The head's rows come grouped by level: here reversed, with a foreign row before and one after.
        var golden = SelectionCase.Load(name);
        var count = golden.Proposals.Length;

        AssertDetections(
            golden,
            Reversed(golden.ClassLogits, count),
            Reversed(golden.BoxDeltas, count),
            [.. Enumerable.Range(0, count).Select(proposal => count - proposal)]);
    }

    private static void AssertDetections(SelectionCase golden, float[] classLogits, float[] boxDeltas, int[] rows)
    {
        var detections = new DetectionList();

        new DetectionSelector(golden.Options).Select(
            classLogits,
            boxDeltas,
            golden.Proposals,
            rows,
            golden.Settings.Resized.ToImageSize(),
            golden.Settings.Original.ToImageSize(),
            detections);

        var reference = golden.Reference;
        var free = detections.Detections.ToArray().ToList();
        Assert.NotEmpty(reference);
        List<string> missing = [];
        List<Ranked<DetectedBox>> ranked = [];
        foreach (var (expected, proposal) in reference)
        {
            var at = free.FindIndex(actual => IsSame(expected, proposal, actual));
            if (at < 0)
            {
                missing.Add($"missing {expected}, proposal {proposal}");
                continue;
            }

            ranked.Add(new(free[at], expected.Score));
            free.RemoveAt(at);
        }

        Assert.Empty(missing);
        Assert.Empty(free);
        var actualOrder = detections.Detections.ToArray().Select(d => new Ranked<DetectedBox>(d, d.Score)).ToArray();
        Assert.Empty(RankedList.Differences(ranked, actualOrder, int.MaxValue));
    }

    private static bool IsSame(DetectedBox expected, int proposal, DetectedBox actual) =>
        expected.Label == actual.Label
        && (proposal < 0 || proposal == actual.Proposal)
        && MathF.Abs(expected.Score - actual.Score) <= ScoreTolerance
        && BoxMath.Distance(expected.Box, actual.Box) <= BoxTolerance;

    private static float[] Reversed(float[] values, int rows)
    {
        var width = values.Length / rows;
        var foreign = Enumerable.Repeat(float.NaN, width).ToArray();
        return [.. foreign, .. values.Chunk(width).Reverse().SelectMany(row => row), .. foreign];
    }

    private sealed record SelectionSettings(
        string Convention,
        string BoxDeltas,
        GoldenSize Resized,
        GoldenSize Original,
        float ScoreThreshold,
        double NmsThreshold,
        int DetectionsPerImage);

    private sealed record SelectionCase(
        SelectionSettings Settings, float[] ClassLogits, float[] BoxDeltas, Box[] Proposals,
            (DetectedBox Box, int Proposal)[] Reference)
    {
        public RoiHeadsOptions Options
        {
            get
            {
                var rules = ConventionTable.RulesFor(Enum.Parse<Convention>(Settings.Convention, ignoreCase: true));
                return new RoiHeadsOptions(rules)
                {
                    Classes = ClassLogits.Length / Proposals.Length - 1,
                    BoxDeltas = Settings.BoxDeltas switch
                    {
                        "per-class-with-background" => BoxDeltasLayout.PerClassWithBackground,
                        "per-class" => BoxDeltasLayout.PerClass,
                        _ => BoxDeltasLayout.Agnostic,
                    },
                    ScoreThreshold = Settings.ScoreThreshold,
                    NmsThreshold = Settings.NmsThreshold,
                    DetectionsPerImage = Settings.DetectionsPerImage,
                };
            }
        }

        public static SelectionCase Load(string name)
        {
            var expected = Read<float>(name, "expected.npy");
            var labels = Read<int>(name, "expected_labels.npy");
            var reference = new (DetectedBox, int)[labels.Length / 2];
            for (var i = 0; i < reference.Length; i++)
            {
                var row = expected.AsSpan(5 * i, 5);
                var box = new Box(row[0], row[1], row[2], row[3]);
                reference[i] = (new DetectedBox(box, row[4], labels[2 * i], labels[2 * i + 1]), labels[2 * i + 1]);
            }

            return new SelectionCase(
                GoldenFolder.ReadJson<SelectionSettings>("tensors", "detections", name, "case.json"),
                Read<float>(name, "class_logits.npy"),
                Read<float>(name, "box_deltas.npy"),
                MemoryMarshal.Cast<float, Box>(Read<float>(name, "proposals.npy")).ToArray(),
                reference);
        }

        private static T[] Read<T>(string name, string file)
            where T : unmanaged => NpyFile.Read<T>(GoldenFolder.At("tensors", "detections", name, file)).Values;
    }
}
