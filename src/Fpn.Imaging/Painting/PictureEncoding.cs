namespace Fpn.Imaging.Painting;

/// <summary>What a drawn picture is encoded as.</summary>
internal enum PictureEncoding
{
    /// <summary>PNG: pixels outside of what was drawn are the decoded ones.</summary>
    Png,

    /// <summary>JPEG, quality 90, colours not subsampled: thin coloured lines stay sharp.</summary>
    Jpeg,
}
