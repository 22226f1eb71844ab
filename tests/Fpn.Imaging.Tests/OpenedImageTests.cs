using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Pixels;
using Fpn.Imaging.Vips;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Imaging.Tests;

/// <summary>An opened image remembers its header: the codec reads it once, and gives everything back.</summary>
[Collection(Alone.Collection)]
public sealed class OpenedImageTests
{
    private readonly CountingCodec _codec = new(new VipsCodec());
    private readonly ImageDecoder _decoder;

    public OpenedImageTests() => _decoder = new ImageDecoder(40_000_000, _codec);

    public static TheoryData<string> Files =>
        [.. TestImages.WithExpectation().Where(name => !name.EndsWith(".bmp", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Files))]
    public void OpenAndDecode_EveryFormat_ReadTheHeaderOnce(string name)
    {
        using var opened = _decoder.Open(TestImages.Read(name)).Image;
        using var decoded = opened!.Decode().Image;

        Assert.Equal((1, 1), (_codec.Opened, _codec.Decoded));
        Assert.Equal((opened.Format, opened.Size), (decoded!.Format, decoded.Size));
        Assert.Equal(TestImages.ReadExpected(name).Pixels, decoded.Pixels.ToArray());
    }

    [Fact]
    public void Decode_OfBytes_ReadsTheHeaderOnce()
    {
        using var decoded = _decoder.Decode(TestImages.Read("rgb.jpg")).Image;

        Assert.NotNull(decoded);
        Assert.Equal((1, 1, 0), (_codec.Opened, _codec.Decoded, _codec.Open));
    }

    [Fact]
    public void Open_TurnedJpeg_TellsWhatItsHeaderSays()
    {
        using var opened = _decoder.Open(TestImages.Read("orientation-6.jpg")).Image;
        using var upright = _decoder.Open(TestImages.Read("orientation-1.jpg")).Image;

        Assert.Equal((ImageFormat.Jpeg, 6), (opened!.Format, opened.Orientation));
        Assert.Equal(TestImages.ReadExpected("orientation-6.jpg").Size, opened.Size);
        Assert.Equal(new ImageSize(upright!.Size.Width, upright.Size.Height), opened.Size);

        // Three bands, and three of the second buffer that turning needs.
        Assert.Equal((opened.Size.Area * 6, upright.Size.Area * 3), (opened.DecodedBytes, upright.DecodedBytes));
        Assert.Equal(0, _codec.Decoded);
    }

    [Fact]
    public void Decode_AfterWaiting_GivesTheSamePixelsAndHeldNothingMeanwhile()
    {
        using var opened = _decoder.Open(TestImages.Read("rgb.png")).Image;

        opened!.ParkUnless(true);
        Assert.Equal((1, 1), (_codec.Opened, _codec.Open));
        opened.ParkUnless(false);
        Assert.Equal((1, 0), (_codec.Opened, _codec.Open));

        using var decoded = opened.Decode().Image;
        Assert.Equal(TestImages.ReadExpected("rgb.png").Pixels, decoded!.Pixels.ToArray());
        Assert.Equal((2, 0), (_codec.Opened, _codec.Open));
    }

    [Fact]
    public void Decode_BytesChangedWhileWaiting_IsUndecodable()
    {
        var file = TestImages.Read("rgb.png");
        using var opened = _decoder.Open(file).Image;

        opened!.ParkUnless(false);
        TestImages.Read("one-pixel.png").CopyTo(file, 0);

        var outcome = opened.Decode();
        outcome.Image?.Dispose();
        Assert.Equal(DecodeFailure.Undecodable, outcome.Failure);
        Assert.False(outcome.Succeeded);
    }

    [Theory]
    [InlineData("rgb.jpg")]
    [InlineData("orientation-8.tif")]
    public void Dispose_WithoutDecoding_GivesEverythingBack(string name)
    {
        var before = NativeImageMemory.HeldBytes;

        var opened = _decoder.Open(TestImages.Read(name)).Image!;
        Assert.Equal(1, _codec.Open);
        opened.Dispose();
        opened.Dispose();

        Assert.Equal((0, before), (_codec.Open, NativeImageMemory.HeldBytes));
        Assert.Throws<InvalidOperationException>(() => opened.Decode());
    }

    [Fact]
    public void Decode_Twice_Throws()
    {
        using var opened = _decoder.Open(TestImages.Read("rgb.png")).Image;
        opened!.Decode().Image!.Dispose();

        Assert.Throws<InvalidOperationException>(() => opened.Decode());
    }

    [Fact]
    public void Open_ImageThatIsTooLargeByItsCodec_GivesEverythingBack()
    {
        var outcome = new ImageDecoder(17 * 24 - 1, _codec).Open(TestImages.Read("rgb.jpg"));

        Assert.Equal(DecodeFailure.TooManyPixels, outcome.Refusal.Failure);
        Assert.Equal((1, 0), (_codec.Opened, _codec.Open));
    }
}
