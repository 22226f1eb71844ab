using System.Security.Cryptography;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Vips;
using Fpn.Testing.Goldens;

namespace Fpn.Imaging.Tests;

/// <summary>Real photographs: libjpeg as libvips uses it gives the very bytes that Pillow's gives.</summary>
public sealed class BccdDecodingTests
{
    /// <summary>By <c>Images/hash_bccd.py</c>.</summary>
    private const string PillowSha256 = "9d010570c965e81d007b863c7cfa8a8665de9b68b0485f90e293fbb35b93f2bf";

    [Fact]
    public void Decode_AllBccdPhotographs_GivesThePixelsOfPillow()
    {
        var folder = GoldenFolder.RequireShared("data", "bccd", "JPEGImages");
        var decoder = new ImageDecoder(40_000_000, new VipsCodec());
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        foreach (var path in Directory.EnumerateFiles(folder, "*.jpg").Order(StringComparer.Ordinal))
        {
            using var image = decoder.Decode(File.ReadAllBytes(path)).Image;
            Assert.True(image is not null, path);
            hash.AppendData(image.Pixels);
        }

        Assert.Equal(PillowSha256, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}
