using Fpn.Detection.Geometry;
using Fpn.Imaging.Headers;

namespace Fpn.Imaging.Tests;

public sealed class ExifOrientationTests
{
    [Theory]
    // Stored is  0 1 2
    //            3 4 5.
    [InlineData(1, new[] { 0, 1, 2, 3, 4, 5 })]
    [InlineData(2, new[] { 2, 1, 0, 5, 4, 3 })]
    [InlineData(3, new[] { 5, 4, 3, 2, 1, 0 })]
    [InlineData(4, new[] { 3, 4, 5, 0, 1, 2 })]
    [InlineData(5, new[] { 0, 3, 1, 4, 2, 5 })]
    [InlineData(6, new[] { 3, 0, 4, 1, 5, 2 })]
    [InlineData(7, new[] { 5, 2, 4, 1, 3, 0 })]
    [InlineData(8, new[] { 2, 5, 1, 4, 0, 3 })]
    public void Apply_TwoRowsOfThree_PutsEveryPixelInItsPlace(int orientation, int[] expected)
    {
        var stored = Pixels([0, 1, 2, 3, 4, 5]);
        var displayed = new byte[stored.Length];

        ExifOrientation.Apply(stored, new ImageSize(2, 3), orientation, displayed);

        Assert.Equal(Pixels(expected), displayed);
        Assert.Equal(
            orientation < 5 ? new ImageSize(2, 3) : new ImageSize(3, 2),
            ExifOrientation.DisplayedSize(new ImageSize(2, 3), orientation));
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(3, 3)]
    [InlineData(4, 4)]
    [InlineData(5, 5)]
    [InlineData(6, 8)]
    [InlineData(7, 7)]
    [InlineData(8, 6)]
    public void Apply_ThenItsInverse_GivesTheStoredPictureAgain(int orientation, int inverse)
    {
        // More than one tile, and incomplete ones at both edges.
        var size = new ImageSize(71, 45);
        var stored = Pixels([.. Enumerable.Range(0, (int)size.Area)]);
        var (turned, back) = (new byte[stored.Length], new byte[stored.Length]);

        ExifOrientation.Apply(stored, size, orientation, turned);
        ExifOrientation.Apply(turned, ExifOrientation.DisplayedSize(size, orientation), inverse, back);

        Assert.NotEqual(stored, turned);
        Assert.Equal(stored, back);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    public void Apply_UnknownOrientation_Throws(int orientation) =>
        Assert.Throws<ArgumentOutOfRangeException>(
            () => ExifOrientation.Apply(new byte[3], new ImageSize(1, 1), orientation, new byte[3]));

    [Fact]
    public void Apply_WrongLength_Throws() =>
        Assert.Throws<ArgumentException>(() => ExifOrientation.Apply(new byte[3], new ImageSize(1, 2), 1, new byte[3]));

    private static byte[] Pixels(int[] names) =>
        [.. names.SelectMany(name => new[] { (byte)name, (byte)(name >> 8), (byte)(7 * name) })];
}
