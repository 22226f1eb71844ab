using Fpn.Detection.Geometry;
using Fpn.Detection.Preprocessing;
using Fpn.Models.Options;
using Fpn.Serving.Sizing;
using Fpn.Testing.Fakes;

namespace Fpn.Serving.Tests;

/// <summary>The sizes that batches are padded to.</summary>
public sealed class ShapeBucketsTests
{
    private static readonly InputOptions Torchvision = new() { MinSize = 800, MaxSize = 1333 };
    private static readonly InputOptions BloodCells = new() { MinSize = 384, MaxSize = 640 };

    [Theory]
    [InlineData("off", true)]
    [InlineData("OFF", false)]
    [InlineData("auto", false)]
    public void Create_Off_EveryImageKeepsItsSize(string setting, bool shapesAreFixed)
    {
        var buckets = Create(setting, shapesAreFixed, Torchvision);
        Assert.Empty(buckets.Sizes);
        Assert.Equal(new ImageSize(96, 1344), buckets.BucketFor(new ImageSize(96, 1344)));
    }

    /// <summary>
    /// Shorter side 800, longer at most 1333, floored, padded to 32: 4:3 1066 → 1088; and the longest, 1333:800, 1332
    /// or 1333 → 1344.
    /// </summary>
    [Theory]
    [InlineData("auto", true)]
    [InlineData("derived", false)]
    public void Create_DerivedFor800And1333_AreTheCommonPhotographs(string setting, bool shapesAreFixed) =>
        Assert.Equal(
            ["800x1088", "1088x800", "800x1344", "1344x800"],
            Create(setting, shapesAreFixed, Torchvision).Sizes.Select(size => size.ToString()));

    /// <summary>4:3 512; the longest, 5:3, 640: both multiples of 32 as they are.</summary>
    [Fact]
    public void Create_DerivedFor384And640_AreTheCommonPhotographs() => Assert.Equal(
        ["384x512", "512x384", "384x640", "640x384"],
        Create("derived", false, BloodCells).Sizes.Select(size => size.ToString()));

    [Theory]
    [InlineData("derived")]
    [InlineData("800x1344")]
    public void Create_ForAGraphThatCannotBatch_HasNone(string setting)
    {
        var detector = new FakeDetector(Torchvision) { LargestBatch = 1 };
        Assert.Empty(ShapeBuckets.Create(setting, shapesAreFixed: true, detector).Sizes);
    }

    [Theory]
    [InlineData(800, 1333)]
    [InlineData(384, 640)]
    [InlineData(600, 600)]
    [InlineData(600, 400)]
    [InlineData(300, 2000)]
    public void BucketFor_AnyImage_IsADerivedOneThatHoldsIt(int minSize, int maxSize)
    {
        var detector = new FakeDetector(new InputOptions { MinSize = minSize, MaxSize = maxSize });
        var buckets = ShapeBuckets.Create("derived", shapesAreFixed: true, detector);
        Assert.InRange(buckets.Sizes.Count, 1, 4);
        var random = new Random(1);
        for (var i = 0; i < 5000; i++)
        {
            var image = i < 100
                ? new ImageSize((i / 10 * 997) + 1, (i % 10 * 997) + 1)
                : new ImageSize(random.Next(1, 4000), random.Next(1, 4000));
            var padded = detector.Measure(image).Padded;
            var bucket = buckets.BucketFor(padded);
            Assert.Contains(bucket, buckets.Sizes);
            Assert.True(
                bucket.Height >= padded.Height && bucket.Width >= padded.Width,
                $"{image} is padded to {padded}, which {bucket} does not hold");
        }
    }

    [Fact]
    public void BucketFor_SizeThatSeveralHold_IsTheSmallest()
    {
        var buckets = Create("640x640, 384x640 ,640X384", false, BloodCells);
        Assert.Equal(["384x640", "640x384", "640x640"], buckets.Sizes.Select(size => size.ToString()));
        Assert.Equal(new ImageSize(384, 640), buckets.BucketFor(new ImageSize(384, 512)));
        Assert.Equal(new ImageSize(640, 384), buckets.BucketFor(new ImageSize(416, 384)));
        Assert.Equal(new ImageSize(640, 640), buckets.BucketFor(new ImageSize(416, 416)));
        Assert.Equal(new ImageSize(384, 640), buckets.BucketFor(new ImageSize(384, 640)));
    }

    [Fact]
    public void BucketFor_SizeThatNoneHolds_IsItsOwn() =>
        Assert.Equal(new ImageSize(384, 640), Create("384x512", false, BloodCells).BucketFor(new ImageSize(384, 640)));

    [Theory]
    [InlineData("on")]
    [InlineData("384")]
    [InlineData("384x512x3")]
    [InlineData("384x500")]
    [InlineData("0x32")]
    [InlineData("-32x32")]
    [InlineData("384x512,")]
    [InlineData("32768x32")]
    public void Create_NoSize_NamesTheSettingAndWhatItHolds(string setting)
    {
        var message = Assert.Throws<InvalidOptionException>(() => Create(setting, false, BloodCells)).Message;
        Assert.Contains("'Fpn:Batching:Buckets'", message, StringComparison.Ordinal);
        Assert.Contains("multiples of 32", message, StringComparison.Ordinal);
        Assert.Contains($"'{setting.Split(',')[^1]}'", message, StringComparison.Ordinal);
    }

    private static ShapeBuckets Create(string setting, bool shapesAreFixed, InputOptions input) =>
        ShapeBuckets.Create(setting, shapesAreFixed, new FakeDetector(input));
}
