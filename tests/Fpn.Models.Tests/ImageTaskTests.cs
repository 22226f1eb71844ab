using Fpn.Detection.Geometry;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Pixels;
using Fpn.Imaging.Vips;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Fpn.Models.TwoStage;
using Fpn.Testing.Running;

namespace Fpn.Models.Tests;

/// <summary>What a batch gives whose images are asked different things, on the trained model.</summary>
public sealed class ImageTaskTests
{
    private static readonly ImageSize Image = new(480, 640);

    private static readonly Box[] Boxes =
    [
        new(30, 40, 70, 90), new(9, 9, 9, 9), new(10, 20, 610, 450), new(200, 100, 330, 260), new(0, 0, 20, 300),
    ];

    private readonly ModelContract _contract = ModelManifestReader.ReadAlone(
        Path.Combine(Checkout.Models, "blood-cells"));

    private readonly ExecutionDevice _device = ExecutionDevice.Open(
        new ExecutionOptions { Provider = ExecutionProvider.Cpu }, new CudaOptions());

    [Fact]
    public void Infer_EachImageIsAskedSomethingElse_GetsItAsAlone()
    {
        using var detector = new TwoStageDetector(_contract, _device);
        using var decoded = Decode();
        var image = new MeasuredImage(decoded, detector);
        var few = new ProposalTask(_contract.Proposals with { PostNmsTopN = 9, NmsThreshold = 0.3 });
        var regions = new RegionTask(Boxes, 2);
        var (detections, proposals) = Infer(detector, [image], batch => (batch.Select(0), batch.Propose(0)));

        Infer(
            detector,
            [
                image with { Task = few }, image, image with { Task = regions },
                image with { Task = new ProposalTask(_contract.Proposals) },
            ],
            batch =>
            {
                Assert.Equal(9, batch.Propose(0).Length);
                Assert.NotEmpty(detections);
                Assert.Equal(detections, batch.Select(1));
                Assert.Equal(proposals, batch.Propose(3));
                var classified = batch.Classify(2, regions);
                Assert.Equal(Boxes.Length, classified.Length);
                Assert.Null(classified[1]);
                Assert.All(classified.Where((_, i) => i != 1), region => Assert.Equal(2, region!.Scores.Length));
                return 0;
            });
    }

    /// <summary>With at most 16 RoIs at once, which is how a device with fixed shapes sees thousands.</summary>
    [Theory]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(40)]
    [InlineData(100)]
    public void Classify_MoreRegionsThanTheLargestShape_RunsInPassesOfWarmedShapes(int count)
    {
        using var free = new TwoStageDetector(_contract, _device);
        using var detector = new TwoStageDetector(
            _contract with { Proposals = _contract.Proposals with { PostNmsTopN = 16 } }, _device);
        using var decoded = Decode();
        var task = new RegionTask([.. Enumerable.Range(0, count).Select(i => Boxes[i % Boxes.Length])], 3);
        var image = new MeasuredImage(decoded, free) { Task = task };
        detector.WarmUp(new FixedShapes([image.Geometry.Padded], [1], roisPerImage: 16), _ => { });

        var expected = Infer(free, [image], batch => batch.Classify(0, task));
        var actual = Infer(detector, [image], batch => batch.Classify(0, task));

        Assert.Equal(0, detector.UnwarmedShapes["head"]);
        Assert.Equal(count, actual.Length);
        for (var i = 0; i < count; i++)
        {
            Assert.Equal(i % Boxes.Length == 1, actual[i] is null);
            if (actual[i] is not { } region)
            {
                Assert.Null(expected[i]);
                continue;
            }

            Assert.Equal(expected[i]!.Level, region.Level);
            Assert.Equal(expected[i]!.Background, region.Background, 1e-4f);
            Assert.Equal(expected[i]!.Scores[0].Label, region.Scores[0].Label);
            Assert.InRange(
                Math.Max(
                    Math.Abs(expected[i]!.Box.X1 - region.Box.X1), Math.Abs(expected[i]!.Box.Y2 - region.Box.Y2)),
                0,
                0.01f);
        }
    }

    [Fact]
    public void ToResized_PartsBeyondTheImage_AreCutOff()
    {
        var geometry = new ImageGeometry(Image, new ImageSize(240, 320), new ImageSize(256, 320));
        var task = new RegionTask([new Box(-5, 10, 40, 50), new Box(700, 0, 800, 9), new Box(0, 0, 9999, 9999)], 1);
        Assert.Equal([new Box(0, 5, 20, 25), new Box(0, 0, 320, 240)], task.ToResized(geometry));
    }

    [Theory]
    [InlineData(0, 0, 1, 1, null)]
    [InlineData(-3, -3, 0.5f, 0.5f, null)]
    [InlineData(5, 5, 5, 9, "empty")]
    [InlineData(5, 5, 9, 4, "inverted")]
    [InlineData(640, 0, 650, 9, "outside")]
    [InlineData(-9, 0, 0, 9, "outside")]
    [InlineData(float.NaN, 0, 1, 1, "finite")]
    [InlineData(0, 0, float.PositiveInfinity, 1, "finite")]
    public void FindFault_Box_IsNamed(float x1, float y1, float x2, float y2, string? fault)
    {
        var found = RegionTask.FindFault(new Box(x1, y1, x2, y2), Image);
        Assert.Equal(fault is null, found is null);
        Assert.Contains(fault ?? string.Empty, found ?? string.Empty, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, new[] { 1 })]
    [InlineData(3, new[] { 1, 3, 0 })]
    [InlineData(9, new[] { 1, 3, 0, 2 })]
    public void Best_EqualScores_AreOrderedByLabel(int top, int[] expected) => Assert.Equal(
        expected, LabelScore.Best([0.2f, 0.3f, 0.1f, 0.3f], top, new ulong[8]).Select(score => score.Label));

    /// <summary>In every order, with ties, against sorting all; the work space bounds what is kept.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(1203)]
    public void Best_ManyClasses_AreTheFirstOfAllSorted(int top)
    {
        var random = new Random(3);
        float[] scores = [.. Enumerable.Range(0, 1203).Select(_ => random.Next(400) / 400f)];
        foreach (var order in new[] { scores, [.. scores.Order()], [.. scores.OrderDescending()] })
        {
            var expected = Enumerable.Range(0, order.Length)
                .OrderByDescending(label => order[label])
                .Take(top)
                .Select(label => new LabelScore(label, order[label]));
            Assert.Equal(expected, LabelScore.Best(order, top, new ulong[2 * top]));
        }
    }

    private static DecodedImage Decode() =>
        new ImageDecoder(40_000_000, new VipsCodec()).Decode(File.ReadAllBytes(Checkout.SampleImage)).Image!;

    private static T Infer<T>(TwoStageDetector detector, MeasuredImage[] images, Func<InferredBatch, T> read)
    {
        using var batch = detector.Prepare(images[0].Geometry.Padded, images);
        using var inferred = detector.Infer(batch);
        return read(inferred);
    }
}
