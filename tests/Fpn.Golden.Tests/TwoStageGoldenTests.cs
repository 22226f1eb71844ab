using Fpn.Detection.Geometry;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Vips;
using Fpn.Models.Detectors;
using Fpn.Models.TwoStage;
using Fpn.Serving.Lanes;
using Fpn.Testing.Goldens;
using Fpn.Testing.Running;
using Microsoft.Extensions.DependencyInjection;

namespace Fpn.Golden.Tests;

/// <summary>The stages between a decoded image and its detections, one by one, on the trained models.</summary>
[Collection(ShippedServiceFixture.Collection)]
public sealed class TwoStageGoldenTests(ShippedServiceFixture fixture)
{
    public static TheoryData<string, string> Cases => GoldenModel.AllCases;

    [Theory]
    [MemberData(nameof(Cases))]
    public void Prepare_GoldenImage_EqualsTorchvisionsTensor(string model, string name)
    {
        var golden = GoldenModel.Of(model).Load(name);
        using var batch = Prepare(golden);

        Assert.Equal(
            new ImageGeometry(golden.Original.ToImageSize(), golden.Resized.ToImageSize(), golden.Padded.ToImageSize()),
            batch.Geometries[0]);
        if (golden.ResizedSampleStep is { } step)
        {
            AssertSamples(golden, step, batch.Tensor.Image<float>(0));
        }

        AssertMeans(golden, batch.Tensor.Image<float>(0));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Infer_GoldenImage_GivesTorchvisionsProposalsAndLevels(string model, string name)
    {
        var golden = GoldenModel.Of(model).Load(name);
        using var batch = Prepare(golden);
        using var inferred = Assert.IsType<TwoStageBatch>(Detector(model).Infer(batch));
        var proposals = inferred.Proposals(0);
        var actual = new PooledProposal[proposals.Count];
        for (var i = 0; i < actual.Length; i++)
        {
            actual[i] = new(proposals.Boxes[i], proposals.Scores[i], inferred.PooledLevel(0, i));
        }

        var values = golden.ReadArray<float>("proposals.npy").Values;
        var levels = golden.ReadArray<byte>("levels.npy").Values;
        var reference = new PooledProposal[levels.Length];
        for (var i = 0; i < reference.Length; i++)
        {
            var row = values.AsSpan(5 * i, 5);
            reference[i] = new(new Box(row[0], row[1], row[2], row[3]), row[4], levels[i]);
        }

        Assert.NotEmpty(reference);
        var meta = GoldenModel.Of(model).Meta;
        Assert.Empty(
            ProposalMatcher.Mismatches(reference, actual, limit: meta.Thresholds.RpnPostNmsTopN, meta.Tolerance));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Explain_GoldenImage_TellsWhereEachDetectionComesFrom(string model, string name)
    {
        var golden = GoldenModel.Of(model).Load(name);
        var (original, resized) = (golden.Original.ToImageSize(), golden.Resized.ToImageSize());
        using var batch = Prepare(golden);
        using var inferred = Assert.IsType<TwoStageBatch>(Detector(model).Infer(batch));
        var explanation = inferred.Explain(0);

        Assert.Equal(inferred.Select(0), explanation.Objects);
        var proposals = inferred.Proposals(0);
        Assert.Equal(proposals.Count, explanation.Proposals.Count);
        for (var i = 0; i < proposals.Count; i++)
        {
            var proposal = explanation.Proposals[i];
            Assert.Equal(BoxOperations.ToOriginal(proposals.Boxes[i], resized, original), proposal.Box);
            Assert.Equal(proposals.Scores[i], proposal.Objectness);
            Assert.Equal($"p{proposals.Levels[i] + 2}", proposal.Level);

            // The anchor sizes of p2 to p6.
            Assert.Equal(32 << proposals.Levels[i], proposal.Anchor.Size);
        }

        foreach (var detection in explanation.Detections)
        {
            Assert.Equal($"p{inferred.PooledLevel(0, detection.Proposal) + 2}", detection.Object.Level);
            Assert.All(detection.Suppressed, removed =>
            {
                Assert.InRange(removed.Iou, 0.5, 1);
                Assert.True(removed.Score <= detection.Object.Score);
                Assert.InRange(BoxOperations.IntersectionOverUnion(
                    removed.Box, detection.Object.Box), removed.Iou - 1e-3, removed.Iou + 1e-3);
            });
            Assert.Equal(detection.Suppressed.OrderByDescending(removed => removed.Score), detection.Suppressed);
        }

        // No golden image but the crowded one fills the model's 100 places,
        // so that every candidate is one or the other.
        var accounted = explanation.Detections.Sum(detection => 1 + detection.Suppressed.Count);
        Assert.True(
            explanation.Objects.Count == 100 ? accounted < explanation.Candidates : accounted == explanation.Candidates,
            $"{accounted} of {explanation.Candidates} candidates");
    }

    private IDetector Detector(string model) => fixture.Service.Services.GetRequiredService<LaneRegistry>().Lanes
        .Single(lane => lane.Model.Contract.Name == model).Model.Detector;

    private PreparedBatch Prepare(GoldenCase golden)
    {
        using var image = new ImageDecoder(40_000_000, new VipsCodec()).Decode(golden.ReadImage()).Image;
        Assert.NotNull(image);
        var detector = Detector(golden.Model);
        return detector.Prepare(golden.Padded.ToImageSize(), [new MeasuredImage(image, detector)]);
    }

    private static void AssertSamples(GoldenCase golden, int step, ReadOnlySpan<float> tensor)
    {
        var samples = golden.ReadArray<float>("resized.npy");
        var rows = Sampled(golden.Resized.Height, step);
        var columns = Sampled(golden.Resized.Width, step);
        Assert.Equal([3, rows.Length, columns.Length], samples.Shape);
        for (var i = 0; i < samples.Values.Length; i++)
        {
            var (row, column) = Math.DivRem(i, columns.Length);
            var (plane, at) = Math.DivRem(row, rows.Length);
            var (y, x) = (rows[at], columns[column]);
            var actual = tensor[(plane * golden.Padded.Height + y) * golden.Padded.Width + x];
            Assert.True(
                MathF.Abs(samples.Values[i] - actual) <= GoldenModel.Of(golden.Model).Meta.Tolerance.ResizedTensor,
                $"{golden.Name}: plane {plane}, y {y}, x {x}: {actual}, not {samples.Values[i]}");
        }
    }

    /// <summary>Over all pixels, so that what lies between the samples counts too; the padding must be zero.</summary>
    private static void AssertMeans(GoldenCase golden, ReadOnlySpan<float> tensor)
    {
        var padded = golden.Padded.ToImageSize();
        for (var plane = 0; plane < 3; plane++)
        {
            double sum = 0;
            double sumOfAbsolutes = 0;
            for (var i = 0; i < padded.Area; i++)
            {
                var value = tensor[(int)(plane * padded.Area + i)];
                var (y, x) = Math.DivRem(i, padded.Width);
                Assert.True((y < golden.Resized.Height && x < golden.Resized.Width) || value == 0,
                    $"padding at y {y}, x {x} is {value}");
                sum += value;
                sumOfAbsolutes += Math.Abs(value);
            }

            var area = golden.Resized.ToImageSize().Area;
            Assert.Equal(golden.ResizedMean[plane], sum / area, 1e-5);
            Assert.Equal(golden.ResizedMeanAbs[plane], sumOfAbsolutes / area, 1e-5);
        }
    }

    private static int[] Sampled(int size, int step) =>
        [.. Enumerable.Range(0, size).Where(index => index % step == 0 || index == size - 1)];
}
