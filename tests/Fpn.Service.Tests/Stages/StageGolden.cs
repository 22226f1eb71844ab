using Fpn.Testing.Goldens;
using Fpn.Testing.Images;

namespace Fpn.Service.Tests.Stages;

/// <summary>What torchvision's stages give for one made image, each asked alone; tests/Golden/README.md has the
/// files.</summary>
internal sealed record StageGolden(
    string Image,
    GoldenSize Original,
    GoldenSize Resized,
    int TopN,
    double NmsThreshold,
    double ScoreThreshold)
{
    /// <summary>All cases.</summary>
    public static TheoryData<string> Cases => [.. Meta.Cases];

    /// <summary>How near an answer must come.</summary>
    public static StageTolerance Tolerance => Meta.Tolerance;

    private static StageMeta Meta { get; } = GoldenFolder.ReadJson<StageMeta>("blood-cells", "stages", "meta.json");

    /// <summary>Name of the case; not in the file.</summary>
    public string Name { get; init; } = "";

    /// <summary>Reads a case.</summary>
    public static StageGolden Load(string name) =>
        GoldenFolder.ReadJson<StageGolden>("blood-cells", "stages", name, "case.json") with { Name = name };

    /// <summary>The encoded image.</summary>
    public byte[] ReadImage() => MadeImages.Read(Image);

    /// <summary>One of the case's arrays.</summary>
    public NpyArray<T> ReadArray<T>(string file)
        where T : unmanaged => NpyFile.Read<T>(GoldenFolder.At("blood-cells", "stages", Name, file));

    private sealed record StageMeta(string[] Cases, StageTolerance Tolerance);
}

/// <summary>How near an answer must come; pixels of the image, and fractions.</summary>
internal sealed record StageTolerance(double ProposalBox, double Objectness, double Score, double Box);
