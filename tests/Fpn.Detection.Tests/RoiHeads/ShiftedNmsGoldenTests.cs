using System.Runtime.InteropServices;
using Fpn.Detection.Geometry;
using Fpn.Detection.RoiHeads;
using Fpn.Testing.Goldens;

namespace Fpn.Detection.Tests.RoiHeads;

/// <summary>
/// torchvision moves the classes apart before NMS when there are up to 1000 candidates, and the float32 sum can turn a
/// decision near the threshold. On these pairs it does: the two branches must each do as torchvision's.
/// </summary>
public sealed class ShiftedNmsGoldenTests
{
    private static readonly ShiftCase Golden = GoldenFolder.ReadJson<ShiftCase>("tensors", "shift", "case.json");

    private static readonly Box[] Pairs =
        MemoryMarshal.Cast<float, Box>(NpyFile.Read<float>(GoldenFolder.At("tensors", "shift", "pairs.npy")).Values)
            .ToArray();

    public static TheoryData<int> PairNumbers => [.. Enumerable.Range(0, Golden.SurvivorsShifted.Length)];

    [Theory]
    [MemberData(nameof(PairNumbers))]
    public void Select_FewCandidates_DecidesAsShifted(int pair)
    {
        Assert.Equal(Golden.SurvivorsShifted[pair], Survivors(pair, fillers: 0));
    }

    [Theory]
    [MemberData(nameof(PairNumbers))]
    public void Select_ManyCandidates_DecidesAsGrouped(int pair)
    {
        Assert.Equal(Golden.SurvivorsGrouped[pair], Survivors(pair, Golden.Fillers));
    }

    private static int Survivors(int pair, int fillers)
    {
        Box[] proposals =
        [
            Pairs[2 * pair], Pairs[2 * pair + 1], ToBox(Golden.Corner), .. Enumerable.Repeat(
                ToBox(Golden.Filler), fillers),
        ];
        var columns = Golden.Classes + 1;
        var logits = new float[proposals.Length * columns];
        for (var row = 0; row < proposals.Length; row++)
        {
            var (column, logit) =
                row < 2 ? (Golden.PairClass, Golden.PairLogits[row]) : (Golden.OtherClass, Golden.OtherLogit);
            logits[row * columns + column] = logit;
        }

        var detections = new DetectionList();
        var size = Golden.Resized.ToImageSize();
        new DetectionSelector(new RoiHeadsOptions { Classes = Golden.Classes }).Select(
            logits, new float[4 * logits.Length], proposals, [.. Enumerable.Range(0, proposals.Length)], size, size,
                detections);
        return detections.Detections.ToArray().Count(detection => detection.Label == Golden.PairClass - 1);
    }

    private static Box ToBox(float[] values) => new(values[0], values[1], values[2], values[3]);

    private sealed record ShiftCase(
        int Classes,
        int PairClass,
        float[] PairLogits,
        int OtherClass,
        float OtherLogit,
        GoldenSize Resized,
        float[] Corner,
        float[] Filler,
        int Fillers,
        int[] SurvivorsShifted,
        int[] SurvivorsGrouped);
}
