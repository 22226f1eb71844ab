using Fpn.Detection.Geometry;
using Fpn.Detection.Views;

namespace Fpn.Detection.Tests.Views;

/// <summary>The way from a view back to the image.</summary>
public sealed class ViewTests
{
    private static readonly ImageSize Image = new(300, 400);

    [Fact]
    public void ToImage_Slice_MovesTheBox()
    {
        var view = new View(new PixelRectangle(100, 50, 200, 150));
        Assert.Equal(new Box(110, 60, 130, 90), view.ToImage(new Box(10, 10, 30, 40)));
    }

    /// <summary>By hand: 10 … 30 of 100 columns are 70 … 90 from the other side.</summary>
    [Fact]
    public void ToImage_MirroredSlice_TurnsTheBoxBackFirst()
    {
        var view = new View(new PixelRectangle(100, 50, 200, 150), IsMirrored: true);
        Assert.Equal(new Box(170, 60, 190, 90), view.ToImage(new Box(10, 10, 30, 40)));
    }

    [Fact]
    public void Cuts_InnerBorders_AreThoseThatAreNotTheImages()
    {
        // 128 pixels a side: 2 pixels count as the border.
        var corner = new View(new PixelRectangle(0, 0, 128, 128));
        Assert.False(corner.Cuts(new Box(0, 0, 125.9f, 125.9f), Image));
        Assert.True(corner.Cuts(new Box(0, 0, 126, 50), Image));
        Assert.True(corner.Cuts(new Box(0, 0, 50, 126), Image));
        var last = new View(new PixelRectangle(272, 172, 400, 300));
        Assert.False(last.Cuts(new Box(274.1f, 174.1f, 400, 300), Image));
        Assert.True(last.Cuts(new Box(274, 200, 300, 250), Image));
        Assert.True(last.Cuts(new Box(300, 174, 350, 250), Image));
        Assert.False(new View(Image).Cuts(new Box(0, 0, 400, 300), Image));
    }
}
