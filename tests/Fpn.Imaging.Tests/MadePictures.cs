using NetVips;
using static NetVips.Enums;

namespace Fpn.Imaging.Tests;

/// <summary>Pictures that libvips writes.</summary>
internal static class MadePictures
{
    /// <summary>A picture of 300 × 200 pixels without two equal rows or columns.</summary>
    public static Image Colors()
    {
        var random = new Random(20261127);
        var pixels = new byte[200 * 300 * 3];
        for (var i = 0; i < pixels.Length; i++)
        {
            pixels[i] = (byte)(i / 900 / 2 + i / 3 % 300 / 3 + i % 3 * 9 + random.Next(32));
        }

        return Image.NewFromMemoryCopy(pixels, 300, 200, 3, BandFormat.Uchar).Copy(interpretation: Interpretation.Srgb);
    }

    /// <summary>A TIFF in tiles.</summary>
    public static byte[] Tiff(
        Image picture, ForeignTiffCompression compression, bool pyramid = false, bool subifd = false,
        bool bigtiff = false, int? bitdepth = null, int tileHeight = 64) =>
        picture.TiffsaveBuffer(
            compression: compression, tile: true, tileWidth: 64, tileHeight: tileHeight, pyramid: pyramid,
            subifd: subifd, bigtiff: bigtiff, bitdepth: bitdepth);
}
