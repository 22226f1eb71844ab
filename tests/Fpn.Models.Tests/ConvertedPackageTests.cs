using System.Globalization;
using Fpn.Detection.Geometry;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Vips;
using Fpn.Models.Detectors;
using Fpn.Models.Packages;
using Fpn.Models.TwoStage;
using Fpn.Testing.Goldens;
using Fpn.Testing.Images;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;
using Microsoft.ML.OnnxRuntime;
using OrtSessionOptions = Microsoft.ML.OnnxRuntime.SessionOptions;

namespace Fpn.Models.Tests;

/// <summary>
/// What models/export/convert.py makes of a package gives the package's own detections, within what the change costs.
/// </summary>
[Trait("Speed", "slow")]
public sealed class ConvertedPackageTests(ConvertedPackages packages) : IClassFixture<ConvertedPackages>
{
    /// <summary>What is near the model's own threshold may come and go; from this score on nothing may.</summary>
    private const double Sure = 0.3;

    /// <summary>A smear, sides that no stride divides, one that is turned, and one of few colors.</summary>
    private static readonly string[] s_images =
        ["smear-480x640.jpg", "odd-333x500.jpg", "exif6-480x360.jpg", "palette-300x400.png"];

    /// <summary>
    /// Package; how far a score may be off, and a coordinate (in pixels of the image) of nine detections in ten. The
    /// tenth may be the box's twin, some pixels off. Bytes are given no such freedom.
    /// </summary>
    private static readonly (string Package, double Box, double Score)[] s_tolerances =
    [
        // The same arithmetic in the same order, inside the graph instead of outside.
        (ConvertedPackages.Bytes, 0.002, 0.00002),

        // 11 bits: of the pixels, of the weights, and of everything.
        (ConvertedPackages.HalfImages, 0.1, 0.005),
        (ConvertedPackages.HalfWeights, 0.1, 0.005),
        (ConvertedPackages.Half, 0.5, 0.02),
        (ConvertedPackages.HalfBytes, 0.5, 0.02),
    ];

    public static TheoryData<string, string> Cases =>
        [.. s_tolerances.SelectMany(_ => s_images, (tolerance, image) => (tolerance.Package, image))];

    public static TheoryData<string> Packages => [.. s_tolerances.Select(tolerance => tolerance.Package)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Detect_ConvertedPackage_GivesTheDetectionsOfTheOriginal(string package, string image)
    {
        packages.Require();
        var bytes = MadeImages.Read(image);
        var expected = await DetectAsync(ConvertedPackages.Original, bytes);

        Assert.NotEmpty(expected);
        AssertNear(package, expected, await DetectAsync(package, bytes));
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public void Infer_ImagesOfDifferentSizesInOneBatch_GiveTheDetectionsOfTheOriginal(string package)
    {
        packages.Require();
        string[] names = ["palette-300x400.png", "blank-256x256.png", "smear-480x640.jpg"];
        var expected = InferBatch(ConvertedPackages.Original, names);

        foreach (var (reference, actual) in expected.Zip(InferBatch(package, names)))
        {
            AssertNear(package, reference.Detections, actual.Detections);
        }
    }

    [Theory]
    [MemberData(nameof(Packages))]
    public void Infer_LevelWithoutRoi_GivesTheDetectionsOfTheOriginal(string package)
    {
        packages.Require();

        // 384x512 has no box of 448x448, from which size on they are pooled from p5.
        string[] names = ["smear-480x640.jpg"];
        var expected = InferBatch(ConvertedPackages.Original, names).Single();
        var actual = InferBatch(package, names).Single();

        Assert.DoesNotContain(3, expected.Levels);
        Assert.DoesNotContain(3, actual.Levels);
        Assert.NotEmpty(expected.Detections);
        AssertNear(package, expected.Detections, actual.Detections);
    }

    [Theory]
    [InlineData("backbone")]
    [InlineData("head")]
    public async Task Load_WeightsStoredAsFloat16_RuntimeFoldsTheCasts(string role)
    {
        packages.Require();
        var stored = packages.PathOf(ConvertedPackages.HalfWeights, $"{role}.onnx");
        var loaded = packages.PathOf(ConvertedPackages.HalfWeights, $"{role}-loaded.onnx");

        // What the runtime made of the graph when it had loaded it.
        using var options = new OrtSessionOptions { OptimizedModelFilePath = loaded };
        using var session = new InferenceSession(stored, options);

        Assert.NotEqual(0, await CountHalvesAsync(stored));
        Assert.Equal(0, await CountHalvesAsync(loaded));
    }

    [Fact]
    public void Convert_WeightsStoredAsFloat16_HalvesTheFiles()
    {
        packages.Require();
        foreach (var role in new[] { "backbone.onnx", "head.onnx" })
        {
            var before = new FileInfo(ModelFolder.OriginalFile(role)).Length;
            var after = new FileInfo(packages.PathOf(ConvertedPackages.HalfWeights, role)).Length;
            Assert.InRange(after, 0.5 * before, 0.52 * before);
        }
    }

    private async Task<GoldenDetection[]> DetectAsync(string package, byte[] image) =>
        ServedDetections.Of(await packages.Service.Client.DetectAsync(image, $"model={package}"));

    /// <summary>All images in one batch, without the service around it.</summary>
    private List<Answer> InferBatch(string package, string[] names)
    {
        var detector = packages.Detector(package);
        var decoder = new ImageDecoder(40_000_000, new VipsCodec());
        var images = names.Select(name => decoder.Decode(MadeImages.Read(name)).Image!).ToArray();
        try
        {
            var measured = Array.ConvertAll(images, image => new MeasuredImage(image, detector));
            var padded = Array.ConvertAll(measured, image => image.Geometry.Padded);
            var size = new ImageSize(padded.Max(one => one.Height), padded.Max(one => one.Width));
            using var batch = detector.Prepare(size, measured);
            using var inferred = Assert.IsType<TwoStageBatch>(detector.Infer(batch));
            return [.. names.Select((_, image) => Read(detector.Contract, inferred, image))];
        }
        finally
        {
            Array.ForEach(images, image => image.Dispose());
        }
    }

    private static Answer Read(ModelContract contract, TwoStageBatch inferred, int image)
    {
        var levels = Enumerable.Range(0, inferred.Proposals(image).Count)
            .Select(proposal => inferred.PooledLevel(image, proposal)).ToArray();
        var detections = inferred.Select(image).Select(found => new GoldenDetection(
            contract.Labels[found.Label],
            found.Score,
            [found.Box.X1, found.Box.Y1, found.Box.X2, found.Box.Y2],
            found.Level));
        return new Answer([.. detections], levels);
    }

    private static void AssertNear(
        string package, IReadOnlyList<GoldenDetection> expected, IReadOnlyList<GoldenDetection> actual)
    {
        var (_, box, score) = s_tolerances.Single(tolerance => tolerance.Package == package);
        var far = Mismatches(box);
        if (far.Count == 0 || package == ConvertedPackages.Bytes)
        {
            Assert.Empty(far);
            return;
        }

        // Two boxes of one object may score alike to the last digit, and then the other one may suppress its twin.
        const double Twin = 4;
        Assert.Empty(Mismatches(Twin));
        var missing = far.Count(line => line.StartsWith("missing", StringComparison.Ordinal));
        Assert.True(10 * missing <= expected.Count(detection => detection.Score >= Sure), string.Join('\n', far));

        IReadOnlyList<string> Mismatches(double distance) => DetectionMatcher.Mismatches(
            expected, actual, new GoldenTolerance(distance, score, Sure, Sure + (2 * score), 0, 0, 0));
    }

    /// <summary>Tensors that a file stores as float16.</summary>
    private static async Task<int> CountHalvesAsync(string file)
    {
        const string Script =
            "import onnx, sys; print(sum(t.data_type == 10 for t in onnx.load(sys.argv[1]).graph.initializer))";
        var (exitCode, output, errors) = await ConvertedPackages.RunPythonAsync("-c", Script, file);
        Assert.True(exitCode == 0, errors);
        return int.Parse(output, CultureInfo.InvariantCulture);
    }

    /// <param name="Detections">Best first.</param>
    /// <param name="Levels">Where each proposal was pooled from: its place among the pooled levels.</param>
    private sealed record Answer(GoldenDetection[] Detections, int[] Levels);
}
