namespace Fpn.Imaging.Codecs;

/// <summary>The image formats that the service accepts.</summary>
public enum ImageFormat
{
    /// <summary>JPEG, baseline or progressive.</summary>
    Jpeg,

    /// <summary>PNG.</summary>
    Png,

    /// <summary>WebP; of an animation the first frame.</summary>
    Webp,

    /// <summary>GIF, the first frame.</summary>
    Gif,

    /// <summary>TIFF, the first page.</summary>
    Tiff,

    /// <summary>AVIF, the primary item.</summary>
    Avif,

    /// <summary>BMP, uncompressed.</summary>
    Bmp,
}
