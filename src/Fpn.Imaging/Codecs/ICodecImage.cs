using Fpn.Detection.Geometry;

namespace Fpn.Imaging.Codecs;

/// <summary>A picture whose header has been read; of several frames or pages the first.</summary>
/// <remarks>Not thread-safe; may move from one thread to another.</remarks>
public interface ICodecImage : IDisposable
{
    /// <summary>H × W as stored, before any orientation.</summary>
    ImageSize Size { get; }

    /// <summary>The layout that <see cref="TryDecode"/> writes.</summary>
    PixelLayout Layout { get; }

    /// <summary>Bytes that decoding needs besides the pixels and that grow with the size of the picture.</summary>
    long WorkBytes { get; }

    /// <summary>Decodes, once.</summary>
    /// <param name="pixels">[H, W, bands of the layout] bytes, row-major, no gaps; undefined after a failure.</param>
    /// <returns>False when the data are damaged or incomplete.</returns>
    bool TryDecode(Span<byte> pixels);
}
