using System.Text;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Vips;
using Fpn.Testing.Running;
using NetVips;

namespace Fpn.Imaging.Tests;

/// <summary>Bad files and libvips.</summary>
[Collection(Alone.Collection)]
public sealed class VipsFailureTests : ImageDecoderFailureTests
{
    private protected override int AlphaBytes => 4;

    private protected override ImageDecoder CreateDecoder(long maxPixels) => new(maxPixels, new VipsCodec());

    [Theory]
    [InlineData("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"8\" height=\"8\"/>")]
    [InlineData("P6\n1 1\n255\nabc")]
    [InlineData("%PDF-1.4\n")]
    public void Open_FormatNotServed_IsBlockedInTheLibraryToo(string content) =>
        Assert.Throws<VipsException>(() => Image.NewFromBuffer(Encoding.ASCII.GetBytes(content).AsSpan()).Dispose());
}
