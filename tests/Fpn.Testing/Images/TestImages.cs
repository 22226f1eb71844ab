using Fpn.Detection.Geometry;
using Fpn.Testing.Running;

namespace Fpn.Testing.Images;

/// <summary>The images in <c>Fpn.Imaging.Tests/Images</c>, made by <c>make_images.py</c> there, and what they decode
/// to.</summary>
internal static class TestImages
{
    private static readonly string s_folder = Path.Combine(Checkout.Root, "tests", "Fpn.Imaging.Tests", "Images");

    /// <summary>Names of the images that have an expectation.</summary>
    internal static IEnumerable<string> WithExpectation() =>
        Directory.EnumerateFiles(s_folder, "*.ppm")
            .Select(path => Path.GetFileNameWithoutExtension(path)!)
            .Order(StringComparer.Ordinal);

    /// <summary>An encoded image.</summary>
    internal static byte[] Read(string name) => File.ReadAllBytes(Path.Combine(s_folder, name));

    /// <summary>The expected pixels, [H, W, 3], out of a binary PPM with a three-line header.</summary>
    internal static (ImageSize Size, byte[] Pixels) ReadExpected(string name)
    {
        var file = Read(name + ".ppm");
        var first = Array.IndexOf(file, (byte)'\n');
        var second = Array.IndexOf(file, (byte)'\n', first + 1);
        var third = Array.IndexOf(file, (byte)'\n', second + 1);
        var sides = System.Text.Encoding.ASCII.GetString(file, first + 1, second - first - 1).Split(' ');
        return (new ImageSize(int.Parse(sides[1], null), int.Parse(sides[0], null)), file[(third + 1)..]);
    }
}
