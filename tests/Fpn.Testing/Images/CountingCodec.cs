using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;

namespace Fpn.Testing.Images;

/// <summary>Counts how often another codec reads a header and decodes pixels, and how many of its images are
/// open.</summary>
internal sealed class CountingCodec(IImageCodec codec) : IImageCodec
{
    private int _opened;
    private int _decoded;
    private int _open;

    /// <summary>Headers read.</summary>
    public int Opened => _opened;

    /// <summary>Images decoded.</summary>
    public int Decoded => _decoded;

    /// <summary>Images that were opened and not disposed yet.</summary>
    public int Open => _open;

    public long MaxScannedPixels => codec.MaxScannedPixels;

    public bool Reads(ImageFormat format) => codec.Reads(format);

    unsafe ICodecImage? IImageCodec.Open(byte* file, int length, ImageFormat format)
    {
        Interlocked.Increment(ref _opened);
        if (codec.Open(file, length, format) is not { } image)
        {
            return null;
        }

        Interlocked.Increment(ref _open);
        return new CountedImage(this, image);
    }

    private sealed class CountedImage(CountingCodec owner, ICodecImage image) : ICodecImage
    {
        private int _isDisposed;

        public ImageSize Size => image.Size;

        public PixelLayout Layout => image.Layout;

        public long WorkBytes => image.WorkBytes;

        public bool TryDecode(Span<byte> pixels)
        {
            Interlocked.Increment(ref owner._decoded);
            return image.TryDecode(pixels);
        }

        public void Dispose()
        {
            image.Dispose();
            if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
            {
                Interlocked.Decrement(ref owner._open);
            }
        }
    }
}
