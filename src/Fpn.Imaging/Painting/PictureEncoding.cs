namespace Fpn.Imaging.Painting;

/// <summary>The file format of a drawn picture.</summary>
internal enum PictureEncoding
{
    /// <summary>PNG: pixels that were not drawn upon keep their decoded values.</summary>
    Png,

    /// <summary>JPEG, quality 90, chroma not subsampled: thin colored lines stay sharp.</summary>
    Jpeg,
}
