namespace Fpn.Imaging.Codecs;

/// <summary>A codec that also reads parts of a TIFF in tiles, each in memory of its own size.</summary>
internal interface IRegionCodec : IImageCodec
{
    /// <summary>Reads the header of a page.</summary>
    /// <param name="file">The whole file; stays in place until the result is disposed. Not copied.</param>
    /// <param name="length">The length of the file in bytes, at least 1.</param>
    /// <param name="page">The number of the page in the chain of directories, from 0.</param>
    /// <param name="subdirectory">The number among the page's subdirectories; -1 is the page itself.</param>
    /// <returns>The page, which the caller disposes; null when its header is damaged or it is not in tiles.</returns>
    unsafe ICodecPage? OpenPage(byte* file, int length, int page, int subdirectory);
}
