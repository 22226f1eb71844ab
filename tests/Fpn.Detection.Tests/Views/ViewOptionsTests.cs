using Fpn.Detection.Geometry;
using Fpn.Detection.Views;

namespace Fpn.Detection.Tests.Views;

/// <summary>Which views an image is looked at in.</summary>
public sealed class ViewOptionsTests
{
    [Fact]
    public void List_OneView_IsTheWholeImage()
    {
        var image = new ImageSize(30, 50);
        Assert.True(ViewOptions.OneView.IsOneView);
        Assert.Equal([new View(new PixelRectangle(0, 0, 50, 30))], ViewOptions.OneView.List(image));
        Assert.Equal(1, ViewOptions.OneView.Count(image));
    }

    /// <summary>By hand: a step of 40 − 10 = 30 reaches 100 with three slices, which are then spread evenly.</summary>
    [Fact]
    public void List_Slices_AreSpreadEvenlyAndRowByRow()
    {
        var options = new ViewOptions { Slice = new ImageSize(40, 40), Overlap = 0.25, WholeImage = false };
        var views = options.List(new ImageSize(70, 110));

        // 70 rows: 0 and 30. 110 columns: 0, 30 and 60 end at 100, so a fourth is needed: 0, 23, 46, 70.
        Assert.Equal(
            [
                (0, 0), (23, 0), (46, 0), (70, 0),
                (0, 30), (23, 30), (46, 30), (70, 30),
            ],
            views.Select(view => (view.Region.Left, view.Region.Top)));
        Assert.All(views, view => Assert.Equal(new ImageSize(40, 40), view.Region.Size));
        Assert.All(views, view => Assert.True(view is { MinSize: null, IsMirrored: false }));
    }

    [Fact]
    public void List_SliceIsLongerThanOneSide_TakesThatSideWhole()
    {
        var options = new ViewOptions { Slice = new ImageSize(64, 64), Overlap = 0 };
        Assert.Equal(
            [
                new PixelRectangle(0, 0, 100, 40),
                new PixelRectangle(0, 0, 64, 40),
                new PixelRectangle(36, 0, 100, 40),
            ],
            options.List(new ImageSize(40, 100)).Select(view => view.Region));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void List_SliceIsLargerThanTheImage_IsTheImageOnce(bool wholeImage)
    {
        var options = new ViewOptions { Slice = new ImageSize(64, 64), WholeImage = wholeImage };
        Assert.Equal([new View(new ImageSize(64, 63))], options.List(new ImageSize(64, 63)));
        Assert.False(options.IsOneView);
    }

    [Fact]
    public void List_ScalesAndFlip_AreTakenOfEveryRegion()
    {
        var options = new ViewOptions { Slice = new ImageSize(50, 50), Overlap = 0, Scales = [40, 60], Flip = true };
        var whole = new PixelRectangle(0, 0, 100, 50);
        var left = new PixelRectangle(0, 0, 50, 50);
        var right = new PixelRectangle(50, 0, 100, 50);
        Assert.Equal(
            [
                new View(whole, 40), new View(whole, 40, true), new View(whole, 60), new View(whole, 60, true),
                new View(left, 40), new View(left, 40, true), new View(left, 60), new View(left, 60, true),
                new View(right, 40), new View(right, 40, true), new View(right, 60), new View(right, 60, true),
            ],
            options.List(new ImageSize(50, 100)));
        Assert.Equal(3, options.Regions(new ImageSize(50, 100)));
    }

    /// <summary>Whatever the numbers: every pixel is seen, neighbors overlap as asked, no view reaches beyond the image,
    /// and as many views as were announced.</summary>
    [Fact]
    public void List_RandomNumbers_CoverTheImageWithTheOverlap()
    {
        var random = new Random(18);
        for (var round = 0; round < 500; round++)
        {
            var image = new ImageSize(random.Next(1, 400), random.Next(1, 400));
            var slice = new ImageSize(random.Next(32, 200), random.Next(32, 200));
            var options = new ViewOptions
            {
                Slice = slice,
                Overlap = random.NextDouble() * ViewOptions.LargestOverlap,
                WholeImage = false,
            };
            var views = options.List(image);
            Assert.Equal(options.Count(image), views.Length);
            Assert.All(views, view => Assert.True(view.Region.LiesIn(image)));
            RequireCover(
                views.Select(view => (view.Region.Left, view.Region.Right)), image.Width, slice.Width, options.Overlap);
            RequireCover(
                views.Select(view => (view.Region.Top, view.Region.Bottom)),
                image.Height,
                slice.Height,
                options.Overlap);
        }
    }

    [Fact]
    public void Count_TinySlicesOfALargeImage_DoesNotOverflow()
    {
        var options = new ViewOptions { Slice = new ImageSize(32, 32), Overlap = 0.9, Flip = true };

        // A step of 32 − 28 = 4 pixels: 500,000,000 − 7 steps along each side, and the whole image; all mirrored, too.
        var side = (2_000_000_000L - 32) / 4 + 1;
        Assert.Equal(2 * (side * side + 1), options.Count(new ImageSize(2_000_000_000, 2_000_000_000)));
    }

    [Theory]
    [InlineData("640", 640, 640)]
    [InlineData("480x640", 480, 640)]
    [InlineData("32x16384", 32, 16384)]
    public void TryParseSlice_Sides_AreHeightAndWidth(string text, int height, int width)
    {
        Assert.True(ViewOptions.TryParseSlice(text, out var slice));
        Assert.Equal(new ImageSize(height, width), slice);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("31")]
    [InlineData("16385")]
    [InlineData("640x")]
    [InlineData("x640")]
    [InlineData("640x640x640")]
    [InlineData("640 x 640")]
    [InlineData("-640")]
    [InlineData("640.0")]
    [InlineData("99999999999")]
    public void TryParseSlice_OtherTexts_AreRefused(string text) =>
        Assert.False(ViewOptions.TryParseSlice(text, out _));

    [Fact]
    public void MergeThresholdOr_EachMethod_HasItsOwn()
    {
        Assert.Equal(0.45, new ViewOptions().MergeThresholdOr(0.45));
        Assert.Equal(0.8, new ViewOptions { Merge = MergeMethod.Voting }.MergeThresholdOr(0.45));
        Assert.Equal(0.5, new ViewOptions { Merge = MergeMethod.Ios }.MergeThresholdOr(0.45));
        Assert.Equal(0.3, new ViewOptions { Merge = MergeMethod.Ios, MergeThreshold = 0.3 }.MergeThresholdOr(0.45));
    }

    private static void RequireCover(IEnumerable<(int Start, int End)> spans, int length, int slice, double overlap)
    {
        var ordered = spans.Distinct().Order().ToList();
        Assert.Equal(0, ordered[0].Start);
        Assert.Equal(length, ordered[^1].End);
        var shared = (int)(slice * overlap);
        Assert.All(ordered.Zip(ordered.Skip(1)), pair => Assert.True(pair.First.End - pair.Second.Start >= shared));
    }
}
