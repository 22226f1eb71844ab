using Fpn.Detection.Geometry;

namespace Fpn.Testing.Goldens;

/// <summary>Height and width as the goldens write them.</summary>
internal sealed record GoldenSize(int Height, int Width)
{
    public ImageSize ToImageSize() => new(Height, Width);
}

/// <summary>What two detections are compared by.</summary>
/// <param name="Label">The class's name.</param>
/// <param name="Score">0 to 1.</param>
/// <param name="Box">x1, y1, x2, y2 in the image as displayed.</param>
/// <param name="Level">The pooled level, or null where the reference cannot tell.</param>
internal sealed record GoldenDetection(string Label, double Score, double[] Box, string? Level);

/// <summary>How near an answer must come; see tests/Golden/README.md.</summary>
internal sealed record GoldenTolerance(
    double Box, double Score, double MatchFrom, double NothingExtraAbove, double ResizedTensor, double ProposalBox,
        double ProposalScore);

/// <summary>The reference's settings that a test needs.</summary>
/// <param name="RpnPostNmsTopN">Proposals of an image at most.</param>
internal sealed record GoldenThresholds(int RpnPostNmsTopN);

/// <summary>One file for all cases of a model.</summary>
internal sealed record GoldenMeta(
    string Model, string CheckpointSha256, string[] Labels, GoldenThresholds Thresholds, GoldenTolerance Tolerance,
        string[] Cases);

/// <summary>The reference's numbers for one image.</summary>
internal sealed record GoldenCase
{
    /// <summary>The case's name; not in the file.</summary>
    public string Name { get; init; } = "";

    /// <summary>Name of the model; not in the file.</summary>
    public string Model { get; init; } = "";

    /// <summary>File name of a made image, or null.</summary>
    public string? Image { get; init; }

    /// <summary>Name of a BCCD image in the shared data, or null.</summary>
    public string? Bccd { get; init; }

    /// <summary>Id of a photograph of Pascal VOC in the shared data, or null.</summary>
    public string? Voc { get; init; }

    /// <summary>SHA-256 of the encoded file, lower-case hex.</summary>
    public required string FileSha256 { get; init; }

    /// <summary>SHA-256 of [H, W, 3] RGB bytes as displayed.</summary>
    public required string RgbSha256 { get; init; }

    public required GoldenSize Original { get; init; }

    public required GoldenSize Resized { get; init; }

    public required GoldenSize Padded { get; init; }

    /// <summary>Every so many rows and columns of the resized image are in resized.npy, and the last ones; null where
    /// there is no such file, since the photograph's pixels may not be passed on.</summary>
    public required int? ResizedSampleStep { get; init; }

    /// <summary>Mean of each plane of the resized, normalized image.</summary>
    public required double[] ResizedMean { get; init; }

    /// <summary>Mean absolute value of each plane.</summary>
    public required double[] ResizedMeanAbs { get; init; }

    /// <summary>All detections ≥ 0.05, best first.</summary>
    public required GoldenDetection[] Detections { get; init; }

    /// <summary>The encoded image; skips the test where it is in shared data that is absent.</summary>
    public byte[] ReadImage()
    {
        if (Voc is not null)
        {
            return VocPhotographs.Require().Read(Voc);
        }

        var path = Bccd is null
            ? GoldenFolder.At(Model, "images", Image!)
            : GoldenFolder.RequireShared("data", "bccd", "JPEGImages", $"{Bccd}.jpg");
        return File.ReadAllBytes(path);
    }

    /// <summary>One of the case's arrays.</summary>
    public NpyArray<T> ReadArray<T>(string file)
        where T : unmanaged => NpyFile.Read<T>(GoldenFolder.At(Model, "cases", Name, file));
}
