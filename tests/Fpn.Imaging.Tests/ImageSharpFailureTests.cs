using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Compression;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.ImageSharp;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Imaging.Tests;

/// <summary>Bad files and ImageSharp, among them those that it alone would spend minutes or gigabytes on.</summary>
[Collection(Alone.Collection)]
public sealed class ImageSharpFailureTests : ImageDecoderFailureTests
{
    private const int Megabyte = 1 << 20;

    private protected override int AlphaBytes => 3;

    private protected override ImageDecoder CreateDecoder(long maxPixels) =>
        new(maxPixels, new ImageSharpCodec(maxPixels));

    public static TheoryData<string> TextChunks => ["zTXt", "iTXt", "iCCP"];

    /// <summary>A gigabyte of zeros in a chunk that is not needed: by itself it took half a minute and 3 GB.</summary>
    [Theory]
    [MemberData(nameof(TextChunks))]
    public void Decode_PngWithABombBesideThePicture_NeverUnpacksIt(string type)
    {
        var png = TestImages.Read("rgb.png");
        var bomb = type switch
        {
            "zTXt" => (byte[])[.. "key\0\0"u8, .. Zeros(1024 * Megabyte)],
            "iTXt" => [.. "key\0\u0001\0\0\0"u8, .. Zeros(1024 * Megabyte)],
            _ => [.. "name\0\0"u8, .. Zeros(1024 * Megabyte)],
        };
        byte[] file = [.. png[..33], .. MadePng.Chunk(type, bomb), .. png[33..]];

        var outcome = Bounded(() => CreateDecoder(40_000_000).Decode(file));

        using var image = outcome.Image;
        Assert.Equal(TestImages.ReadExpected("rgb.png").Pixels, image!.Pixels.ToArray());
    }

    /// <summary>As many scans as the size allows and no more: each costs a pass over all blocks.</summary>
    [Fact]
    public void Decode_LargeJpegOfManyScans_IsRefusedBeforeItIsDecoded()
    {
        var jpeg = TestImages.Read("progressive.jpg");
        var frame = jpeg.AsSpan().IndexOf([(byte)0xFF, (byte)0xC2]);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 5), 6400);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 7), 6250);
        var scan = jpeg.AsSpan().LastIndexOf([(byte)0xFF, (byte)0xDA]);
        byte[] many = [.. jpeg[..^2], .. jpeg[scan..^2], 0xFF, 0xD9];

        var outcome = Bounded(() => CreateDecoder(40_000_000).Decode(many));

        Assert.Equal(DecodeFailure.Undecodable, outcome.Failure);
        Assert.Contains("scans for its size", outcome.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_SmallJpegOfAHundredScans_IsBounded()
    {
        var jpeg = TestImages.Read("progressive.jpg");
        var scan = jpeg.AsSpan().LastIndexOf([(byte)0xFF, (byte)0xDA]);
        byte[] many =
        [
            .. jpeg[..^2], .. Enumerable.Repeat(jpeg[scan..^2], 90).SelectMany(bytes => bytes), 0xFF, 0xD9,
        ];

        Bounded(() => CreateDecoder(40_000_000).Decode(many)).Image?.Dispose();
    }

    [Theory]
    [InlineData("cmyk.jpg", "color model")]
    [InlineData("animated.webp", "")]
    public void Decode_WhatImageSharpReadsOtherwiseOrNot_IsRefused(string name, string reason)
    {
        var outcome = CreateDecoder(40_000_000).Decode(TestImages.Read(name));

        Assert.Equal(DecodeFailure.Undecodable, outcome.Failure);
        Assert.Contains(reason, outcome.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_Avif_IsUnsupportedAndTheOthersAreNamed()
    {
        var outcome = CreateDecoder(40_000_000).Decode(TestImages.Read("rgb.avif"));

        Assert.Equal(DecodeFailure.UnsupportedFormat, outcome.Failure);
        Assert.Equal("The content is not a JPEG, PNG, WebP, GIF, TIFF or BMP image.", outcome.Detail);
    }

    /// <summary>Two thousand damaged files: an answer each, whatever ImageSharp throws.</summary>
    [Fact]
    public void Decode_DamagedFiles_AreAnsweredWithinBounds()
    {
        var random = new Random(20261126);
        var decoder = CreateDecoder(1_000_000);
        foreach (var name in TestImages.WithExpectation())
        {
            var whole = TestImages.Read(name);
            for (var round = 0; round < 25; round++)
            {
                var damaged = whole.ToArray();
                for (var flips = random.Next(1, 5); flips > 0; flips--)
                {
                    damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
                }

                Bounded(() => decoder.Decode(damaged)).Image?.Dispose();
            }
        }
    }

    /// <summary>Runs on this thread; a hundred megabytes and ten seconds are far more than any of these may
    /// cost.</summary>
    private static DecodeOutcome Bounded(Func<DecodeOutcome> decode)
    {
        var (bytes, start) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.GetTimestamp());
        var outcome = decode();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - bytes, 0, 100L * Megabyte);
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(10));
        return outcome;
    }

    private static byte[] Zeros(long count)
    {
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            var block = new byte[Megabyte];
            for (long written = 0; written < count; written += block.Length)
            {
                zlib.Write(block);
            }
        }

        return packed.ToArray();
    }
}
