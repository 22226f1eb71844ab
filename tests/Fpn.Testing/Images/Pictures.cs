using Fpn.Imaging.Decoding;
using Fpn.Imaging.Pixels;
using Fpn.Imaging.Vips;

namespace Fpn.Testing.Images;

/// <summary>Black pictures of any size.</summary>
internal static class Pictures
{
    private static readonly ImageDecoder Decoder = new(10_000_000, new VipsCodec());

    public static DecodedImage Decoded(int width, int height) =>
        Decoder.Decode(Png(width, height)).Image
        ?? throw new InvalidOperationException("The PNG that was made cannot be decoded.");

    public static byte[] Png(int width, int height) => MadePng.Black(width, height);
}
