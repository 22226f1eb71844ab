using Fpn.Detection.Geometry;
using Fpn.Models.Detectors;

namespace Fpn.Models.Tests;

public sealed class FixedShapesTests
{
    private static readonly ImageSize Bucket = new(800, 1088);

    [Theory]
    [InlineData(1, new[] { 1 })]
    [InlineData(2, new[] { 1, 2 })]
    [InlineData(5, new[] { 1, 2, 4, 5 })]
    [InlineData(32, new[] { 1, 2, 4, 8, 16, 32 })]
    [InlineData(40, new[] { 1, 2, 4, 8, 16, 32, 40 })]
    public void BatchSizes_UpToTheLargest_Double(int largest, int[] expected) =>
        Assert.Equal(expected, new FixedShapes([Bucket], largest, roisPerImage: 1000).BatchSizes);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 4)]
    [InlineData(5, 8)]
    [InlineData(7, 8)]
    [InlineData(8, 8)]
    public void BatchSizeFor_InABucket_IsTheNextOne(int images, int expected) => Assert.Equal(
        expected, new FixedShapes([Bucket], maxBatchSize: 8, roisPerImage: 1000).BatchSizeFor(images, Bucket));

    [Fact]
    public void BatchSizeFor_AnotherSize_IsLeftAlone() =>
        Assert.Equal(5, new FixedShapes([Bucket], 8, 1000).BatchSizeFor(5, new ImageSize(96, 96)));

    [Fact]
    public void RoiCountFor_EveryCount_WastesAtMostAFifthAndFitsFullBatches()
    {
        var shapes = new FixedShapes([Bucket], maxBatchSize: 8, roisPerImage: 1000);

        for (var rois = 16; rois <= 8000; rois++)
        {
            var filled = shapes.RoiCountFor(rois);
            Assert.InRange(filled, rois, rois * 1.25);
            Assert.Contains(filled, shapes.RoiCounts);
        }

        Assert.All(shapes.BatchSizes, size => Assert.Equal(size * 1000, shapes.RoiCountFor(size * 1000)));
        Assert.Equal(8000, shapes.RoiCounts[^1]);
        Assert.Equal(16, shapes.RoiCountFor(1));
        Assert.InRange(shapes.RoiCounts.Count, 10, 50);
    }

    [Fact]
    public void RoiCountFor_FewRoisPerImage_StaysWithinThem()
    {
        var shapes = new FixedShapes([Bucket], maxBatchSize: 1, roisPerImage: 5);

        Assert.Equal([5], shapes.RoiCounts);
        Assert.Equal(5, shapes.RoiCountFor(3));
    }

    [Fact]
    public void ShapeLog_NewShapes_CountOnlyAfterTheWarmUp()
    {
        var log = new ShapeLog();
        log.Note(9, 9, 9);
        log.BeginWarmUp();
        log.Note(1, 32, 64);
        log.Note(2, 32, 64);
        log.EndWarmUp();

        log.Note(1, 32, 64);
        log.Note(2, 32, 64);
        Assert.Equal(0, log.Unwarmed);

        log.Note(2, 64, 32);
        log.Note(2, 64, 32);
        log.Note(9, 9, 9);
        Assert.Equal(2, log.Unwarmed);
    }
}
