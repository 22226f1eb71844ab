using System.Text;
using Fpn.Service.Imaging;
using NetVips;

namespace Fpn.Service.Tests.Imaging;

/// <summary>Bad files and libvips.</summary>
[Collection(nameof(NativeMemoryTests))]
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
