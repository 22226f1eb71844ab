using System.Security.Cryptography;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Vips;
using Fpn.Testing.Goldens;

namespace Fpn.Imaging.Tests;

/// <summary>The pixels that the reference saw are the pixels that the service sees.</summary>
public sealed class DecodeGoldenTests
{
    public static TheoryData<string, string> Cases => GoldenModel.AllCases;

    [Theory]
    [MemberData(nameof(Cases))]
    public void Decode_GoldenImage_GivesPillowsPixels(string model, string name)
    {
        var golden = GoldenModel.Of(model).Load(name);
        var encoded = golden.ReadImage();
        Assert.Equal(golden.FileSha256, Sha256(encoded));

        using var image = new ImageDecoder(40_000_000, new VipsCodec()).Decode(encoded).Image;

        Assert.NotNull(image);
        Assert.Equal(golden.Original.ToImageSize(), image.Size);
        Assert.Equal(golden.RgbSha256, Sha256(image.Pixels));
    }

    private static string Sha256(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
