using Fpn.Detection.Geometry;

namespace Fpn.Imaging.Codecs;

/// <summary>A page in tiles whose header has been read; any part of it can be decoded, any number of times.</summary>
/// <remarks>Not thread-safe; may move from one thread to another. Keeps no decoded tile from one call to the next.
/// After a call that failed, it must not be used again.</remarks>
internal interface ICodecPage : IDisposable
{
    /// <summary>H × W as stored, before any orientation.</summary>
    ImageSize Size { get; }

    /// <summary>H × W of each tile.</summary>
    ImageSize Tile { get; }

    /// <summary>The layout that the methods write.</summary>
    PixelLayout Layout { get; }

    /// <summary>Decodes a rectangle.</summary>
    /// <param name="left">Its first column.</param>
    /// <param name="top">Its first row.</param>
    /// <param name="size">H × W; inside the page.</param>
    /// <param name="pixels">[H, W, bands of the layout] bytes, row-major, no gaps; undefined after a failure.</param>
    /// <param name="cancellationToken">Gives up between two tiles.</param>
    /// <returns>False when a tile is damaged or missing, or the call was given up.</returns>
    bool TryDecode(int left, int top, ImageSize size, Span<byte> pixels, CancellationToken cancellationToken);

    /// <summary>Decodes the whole page reduced: each pixel is the mean of a block.</summary>
    /// <param name="block">H × W of a block, at most the page's.</param>
    /// <param name="size">H × W of the result: the page's by the block's, rounded to the nearest, halves up.</param>
    /// <param name="pixels">[H, W, bands of the layout] bytes, row-major, no gaps; undefined after a failure.</param>
    /// <param name="cancellationToken">Gives up between two tiles.</param>
    /// <returns>False when a tile is damaged or missing, or the call was given up.</returns>
    bool TryReduce(ImageSize block, ImageSize size, Span<byte> pixels, CancellationToken cancellationToken);
}
