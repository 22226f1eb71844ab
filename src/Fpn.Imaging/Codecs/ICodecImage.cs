using Fpn.Detection.Geometry;

namespace Fpn.Imaging.Codecs;

/// <summary>A picture whose header was read; of several frames or pages the first.</summary>
/// <remarks>For one thread at a time.</remarks>
public interface ICodecImage : IDisposable
{
    /// <summary>H × W as stored, before any orientation.</summary>
    ImageSize Size { get; }

    /// <summary>What <see cref="TryDecode"/> writes.</summary>
    PixelLayout Layout { get; }

    /// <summary>Bytes that decoding needs besides the pixels, as far as they grow with the picture.</summary>
    long WorkBytes { get; }

    /// <summary>Decodes, once.</summary>
    /// <param name="pixels">[H, W, bands of the layout] bytes, row-major, no gaps; undefined after a failure.</param>
    /// <returns>False when the data are damaged or incomplete.</returns>
    bool TryDecode(Span<byte> pixels);
}
