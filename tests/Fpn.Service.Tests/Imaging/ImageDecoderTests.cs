using Fpn.Detection.Imaging;
using Fpn.Service.Imaging;

namespace Fpn.Service.Tests.Imaging;

/// <summary>What well-formed images of every served kind decode to.</summary>
public sealed class ImageDecoderTests
{
    private readonly ImageDecoder _decoder = new(40_000_000);

    public static TheoryData<string> Expectations => [.. TestImages.WithExpectation()];

    [Theory]
    [MemberData(nameof(Expectations))]
    public void Decode_KnownImage_GivesThePixelsOfPillow(string name)
    {
        var (size, pixels) = TestImages.ReadExpected(name);

        using var image = Decode(name);

        Assert.Equal(size, image.Size);
        Assert.Equal(pixels, image.Pixels.ToArray());
    }

    private DecodedImage Decode(string name)
    {
        var outcome = _decoder.Decode(TestImages.Read(name));
        Assert.True(outcome.Succeeded, outcome.Detail);
        return outcome.Image;
    }
}
