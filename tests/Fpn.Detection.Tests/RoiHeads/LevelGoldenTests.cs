using System.Runtime.InteropServices;
using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.RoiHeads;
using Fpn.Testing.Goldens;

namespace Fpn.Detection.Tests.RoiHeads;

public sealed class LevelGoldenTests
{
    /// <summary>FPN's P2…P5, MobileNetV3's two maps of stride 32, C4's single map, and P3…P7.</summary>
    public static TheoryData<int, int> Ranges => new() { { 2, 5 }, { 5, 5 }, { 4, 4 }, { 3, 7 } };

    [Theory]
    [MemberData(nameof(Ranges))]
    public void Assign_Torchvision_EqualsReference(int first, int last)
    {
        AssertLevels("torchvision", LevelEpsilon.AfterLog, first, last);
    }

    [Theory]
    [MemberData(nameof(Ranges))]
    public void Assign_Detectron2_EqualsReference(int first, int last)
    {
        AssertLevels("detectron2", LevelEpsilon.InsideLog, first, last);
    }

    private static void AssertLevels(string convention, LevelEpsilon epsilon, int first, int last)
    {
        var values = NpyFile.Read<float>(GoldenFolder.At("tensors", "levels", "boxes.npy")).Values;
        var boxes = MemoryMarshal.Cast<float, Box>(values);
        var reference =
            NpyFile.Read<byte>(GoldenFolder.At("tensors", "levels", $"{convention}_{first}_{last}.npy")).Values;
        var assigner = new LevelAssigner(new LevelAssignmentOptions { Epsilon = epsilon }, first, last);
        var levels = new int[boxes.Length];

        assigner.Assign(boxes, levels);

        for (var i = 0; i < boxes.Length; i++)
        {
            Assert.True(reference[i] == levels[i], $"box {i}, {boxes[i]}: level {levels[i]}, not {reference[i]}");
            Assert.Equal(levels[i], assigner.Assign(boxes[i]));
        }
    }
}
