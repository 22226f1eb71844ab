using Fpn.Detection.Geometry;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Pixels;
using Fpn.Imaging.Vips;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Imaging.Tests;

/// <summary>A picture of 30,000 × 20,000 pixels, more than can be decoded at once, is read in slices.</summary>
[Collection(Alone.Collection)]
public sealed class LargePictureTests
{
    private const int Width = 30_000;
    private const int Height = 20_000;

    /// <summary>600 million pixels in 3 kB: every tile is the same.</summary>
    private static readonly byte[] s_file = new MadeTiledTiff { Width = Width, Height = Height, Tile = 256 }.ToFile();

    private readonly ImageDecoder _decoder = new(1L << 33, new VipsCodec());

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void DecodeRegion_OfALargePicture_TakesNoMoreThanItSays()
    {
        using var opened = _decoder.Open(s_file).Image!;
        var region = new PixelRectangle(Width - 700, Height - 650, Width - 60, Height - 10);
        var bytes = opened.RegionBytes(region);
        Assert.InRange(bytes, 640 * 640 * 3, 16 << 20);
        var before = NativeImageMemory.TrackedBytes;

        using var part = opened.DecodeRegion(region, Cancel).Image!;

        Assert.Equal(new ImageSize(640, 640), part.Size);
        for (var x = 0; x < 640; x++)
        {
            Assert.Equal((byte)((Width - 700 + x) % 256 * 3), part.Pixels[(639 * 640 + x) * 3 + 1]);
        }

        // Between two slices, nothing but the slice is held.
        part.Dispose();
        Assert.True(SpinWait.SpinUntil(
            () => NativeImageMemory.TrackedBytes <= before + (1 << 16), TimeSpan.FromSeconds(10)));
    }

    /// <summary>What is granted before decoding is never exceeded on the way.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DecodeRegion_WhileItDecodes_TakesNoMoreThanItSays(bool isReduced)
    {
        using var opened = _decoder.Open(s_file).Image!;
        var region = new PixelRectangle(100, 100, 9100, 2100);
        var bytes = isReduced ? opened.ReducedBytes(1_000_000) : opened.RegionBytes(region);
        var before = NativeImageMemory.TrackedBytes;
        var (peak, ended) = (0L, false);
        var watch = Task.Run(() =>
        {
            while (!Volatile.Read(ref ended))
            {
                peak = Math.Max(peak, NativeImageMemory.TrackedBytes - before);
            }
        }, Cancel);
        var part = isReduced ? opened.DecodeReduced(1_000_000, Cancel) : opened.DecodeRegion(region, Cancel);
        var held = NativeImageMemory.TrackedBytes - before;
        Volatile.Write(ref ended, true);
        await watch;
        part.Image!.Dispose();

        Assert.InRange(Math.Max(peak, held), isReduced ? 500_000 * 3 : 9000 * 2000 * 3, bytes);
    }

    [Fact]
    public void Decode_OfALargePicture_IsRefusedWhole()
    {
        using var opened = _decoder.Open(s_file).Image!;
        Assert.Equal(new ImageSize(Height, Width), opened.Size);

        var outcome = opened.Decode();

        Assert.Equal(DecodeFailure.TooManyPixels, outcome.Failure);
        Assert.Contains("30000 pixels wide and 20000 high", outcome.Detail, StringComparison.Ordinal);
        Assert.Contains("slices", outcome.Detail, StringComparison.Ordinal);
        Assert.Equal(outcome, _decoder.Decode(s_file));
    }

    [Fact]
    public void Open_LargePictureInStrips_IsRefused()
    {
        var strips = new MadeTiff { Width = Width, Height = Height, Channels = 1, Photometric = 1, Samples = [0] };

        var refusal = _decoder.Open(strips.ToFile()).Refusal;

        Assert.Equal(DecodeFailure.TooManyPixels, refusal.Failure);
        Assert.Contains("slices", refusal.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(600_000_000, true)]
    [InlineData(599_999_999, false)]
    [InlineData(536_870_911, false)]
    public void Open_LargePicture_IsBoundedByTheSetting(long maxPixels, bool isOpened)
    {
        var outcome = new ImageDecoder(maxPixels, new VipsCodec()).Open(s_file);

        outcome.Image?.Dispose();
        Assert.Equal(isOpened, outcome.Succeeded);
        if (!isOpened)
        {
            Assert.Equal(DecodeFailure.TooManyPixels, outcome.Refusal.Failure);
            Assert.Contains($"at most {maxPixels} pixels", outcome.Refusal.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    [Trait("Speed", "slow")]
    public void DecodeReduced_OfALargePicture_HasItsMeans()
    {
        using var opened = _decoder.Open(s_file).Image!;

        using var reduced = opened.DecodeReduced(2_000_000, Cancel).Image!;

        // 600 million by 2 million is 300: blocks of 18.
        Assert.Equal(new ImageSize(1111, 1667), reduced.Size);
        Assert.InRange(opened.ReducedBytes(2_000_000), 2_000_000, 128 << 20);

        // The first block has columns 0, 3 … 51.
        Assert.InRange(reduced.Pixels[0], 25, 26);
    }
}
