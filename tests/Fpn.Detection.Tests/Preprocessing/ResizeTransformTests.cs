using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Preprocessing;

namespace Fpn.Detection.Tests.Preprocessing;

public sealed class ResizeTransformTests
{
    private static readonly InputOptions s_usual = new() { MinSize = 800, MaxSize = 1333 };

    [Fact]
    public void ResizedSize_Torchvision480By640_Is800By1066()
    {
        // min(800 · (1/480), 1333 · (1/640)) = 1.6666667 in float32; 640 · 1.6666667 = 1066.67, floored.
        Assert.Equal(new ImageSize(800, 1066), new ResizeTransform(s_usual).ResizedSize(new ImageSize(480, 640)));
    }

    [Fact]
    public void ResizedSize_Torchvision427By640_LosesTheRowThatFloat32Loses()
    {
        // 1/427 rounded to float32 is a little small: 800 · (1/427) · 427 = 799.99998, floored to 799.
        Assert.Equal(new ImageSize(799, 1199), new ResizeTransform(s_usual).ResizedSize(new ImageSize(427, 640)));
    }

    [Fact]
    public void ResizedSize_Detectron2_RoundsOnceAtTheEnd()
    {
        var transform = new ResizeTransform(s_usual with { SizeRounding = SizeRounding.RoundHalfUp });

        // 640 · 800/480 = 1066.67, rounded up.
        Assert.Equal(new ImageSize(800, 1067), transform.ResizedSize(new ImageSize(480, 640)));
        // 1200 · 800/480 = 2000 passes 1333, so both sides are scaled by 0.6665: 533.2 and 1333.
        Assert.Equal(new ImageSize(533, 1333), transform.ResizedSize(new ImageSize(480, 1200)));
    }

    /// <summary>1333 / 800 of 480 are 799.8, and of 1200 they are 1999.5.</summary>
    [Theory]
    [InlineData(480, 800)]
    [InlineData(800, 1333)]
    [InlineData(1200, 2000)]
    public void WithMinSize_OtherScale_KeepsTheProportionOfTheLongestSide(int minSize, int maxSize) =>
        Assert.Equal(s_usual with { MinSize = minSize, MaxSize = maxSize }, s_usual.WithMinSize(minSize));

    [Theory]
    [InlineData(SizeRounding.FloorFloat32)]
    [InlineData(SizeRounding.RoundHalfUp)]
    public void ResizedSize_VeryThinImage_KeepsOnePixel(SizeRounding rounding)
    {
        var transform = new ResizeTransform(s_usual with { SizeRounding = rounding });

        Assert.Equal(1, transform.ResizedSize(new ImageSize(1, 40_000)).Height);
        Assert.Equal(1, transform.ResizedSize(new ImageSize(40_000, 1)).Width);
    }

    [Fact]
    public void ResizedSize_HundredsOfSizes_EqualTheReferences()
    {
        var rows = ResamplingGoldens.Sizes();

        Assert.True(rows.Count > 400);
        Assert.All(rows, row =>
        {
            var options = new InputOptions { MinSize = row.MinSize, MaxSize = row.MaxSize };
            Assert.Equal(row.Torchvision, new ResizeTransform(options).ResizedSize(row.Original));
            options = options with { SizeRounding = SizeRounding.RoundHalfUp };
            Assert.Equal(row.Detectron2, new ResizeTransform(options).ResizedSize(row.Original));
        });
    }

    [Theory]
    [InlineData(800, 1066, 32, 800, 1088)]
    [InlineData(1, 32, 32, 32, 32)]
    [InlineData(33, 31, 32, 64, 32)]
    [InlineData(7, 5, 1, 7, 5)]
    public void PaddedSize_AnySize_IsTheNextMultiple(
        int height, int width, int divisor, int paddedHeight, int paddedWidth)
    {
        var transform = new ResizeTransform(s_usual with { SizeDivisor = divisor });

        Assert.Equal(new ImageSize(paddedHeight, paddedWidth), transform.PaddedSize(new ImageSize(height, width)));
    }

    [Fact]
    public void PaddedSize_BeyondAnInteger_Throws() =>
        Assert.Throws<OverflowException>(() => new ResizeTransform(s_usual).PaddedSize(new ImageSize(int.MaxValue, 1)));

    [Theory]
    [InlineData(0, 5)]
    [InlineData(5, 0)]
    [InlineData(-1, 5)]
    public void Sizes_SideBelowOne_Throw(int height, int width)
    {
        var transform = new ResizeTransform(s_usual);

        Assert.Throws<ArgumentOutOfRangeException>(() => transform.ResizedSize(new ImageSize(height, width)));
        Assert.Throws<ArgumentOutOfRangeException>(() => transform.PaddedSize(new ImageSize(height, width)));
    }

    [Fact]
    public void Constructor_ImpossibleOptions_Throws()
    {
        InputOptions[] impossible =
        [
            s_usual with { MinSize = 0 },
            s_usual with { MaxSize = 0 },
            s_usual with { SizeDivisor = 0 },
            s_usual with { SizeRounding = (SizeRounding)7 },
        ];

        Assert.All(
            impossible, options => Assert.Throws<ArgumentOutOfRangeException>(() => new ResizeTransform(options)));
    }
}
