using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;

namespace Fpn.Testing.Images;

/// <summary>Counts how often another codec reads a header and decodes pixels, and how many of its images are
/// open.</summary>
internal sealed class CountingCodec(IRegionCodec codec) : IRegionCodec
{
    private int _opened;
    private int _decoded;
    private int _open;
    private int _parts;
    private int _finishedParts;
    private int _openPages;

    /// <summary>Headers read.</summary>
    public int Opened => _opened;

    /// <summary>Images decoded.</summary>
    public int Decoded => _decoded;

    /// <summary>Images that were opened and not disposed yet.</summary>
    public int Open => _open;

    /// <summary>Parts of pictures whose decoding began, pictures reduced among them.</summary>
    public int Parts => _parts;

    /// <summary>Parts of pictures that were decoded to their end.</summary>
    public int FinishedParts => _finishedParts;

    /// <summary>Pages that were opened and not disposed yet.</summary>
    public int OpenPages => _openPages;

    /// <summary>Runs before each part.</summary>
    public Action? BeforePart { get; set; }

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

    unsafe ICodecPage? IRegionCodec.OpenPage(byte* file, int length, int page, int subdirectory)
    {
        if (codec.OpenPage(file, length, page, subdirectory) is not { } opened)
        {
            return null;
        }

        Interlocked.Increment(ref _openPages);
        return new CountedPage(this, opened);
    }

    private void BeginPart()
    {
        Interlocked.Increment(ref _parts);
        BeforePart?.Invoke();
    }

    private bool EndPart(bool succeeded)
    {
        Interlocked.Add(ref _finishedParts, succeeded ? 1 : 0);
        return succeeded;
    }

    private sealed class CountedPage(CountingCodec owner, ICodecPage page) : ICodecPage
    {
        private int _isDisposed;

        public ImageSize Size => page.Size;

        public ImageSize Tile => page.Tile;

        public PixelLayout Layout => page.Layout;

        public bool TryDecode(
            int left, int top, ImageSize size, Span<byte> pixels, CancellationToken cancellationToken)
        {
            owner.BeginPart();
            return owner.EndPart(page.TryDecode(left, top, size, pixels, cancellationToken));
        }

        public bool TryReduce(
            ImageSize block, ImageSize size, Span<byte> pixels, CancellationToken cancellationToken)
        {
            owner.BeginPart();
            return owner.EndPart(page.TryReduce(block, size, pixels, cancellationToken));
        }

        public void Dispose()
        {
            page.Dispose();
            if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
            {
                Interlocked.Decrement(ref owner._openPages);
            }
        }
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
