using Fpn.Imaging.Painting;

namespace Fpn.Service.Formats;

/// <summary>A format and the media type that it is sent as.</summary>
/// <param name="Format">The format.</param>
/// <param name="MediaType">Without parameters.</param>
/// <param name="NamesFormat">Whether the media type in <c>Accept</c> asks for this format.</param>
internal sealed record OutputChoice(OutputFormat Format, string MediaType, bool NamesFormat = true)
{
    /// <summary>The value of <c>Content-Type</c>.</summary>
    public string ContentType { get; } = Format == OutputFormat.Image ? MediaType : $"{MediaType}; charset=utf-8";

    /// <summary>The encoding of the picture, for <see cref="OutputFormat.Image"/>.</summary>
    public PictureEncoding Encoding { get; } = MediaType == "image/jpeg" ? PictureEncoding.Jpeg : PictureEncoding.Png;
}
