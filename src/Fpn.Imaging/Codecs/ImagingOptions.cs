namespace Fpn.Imaging.Codecs;

/// <summary>The library that reads images (<c>Fpn:Imaging</c>).</summary>
internal sealed class ImagingOptions
{
    /// <summary>
    /// <c>vips</c> or <c>imagesharp</c>. Default <c>vips</c>: libvips, whose pixels are those that models are trained
    /// with. <c>imagesharp</c> decodes with managed code only, does not read AVIF, and gives slightly different JPEG
    /// pixels; a build with <c>-p:ImageSharp=false</c>, such as the container images, does not include it.
    /// </summary>
    public CodecName Codec { get; set; } = CodecName.Vips;
}

/// <summary>The codecs by name.</summary>
internal enum CodecName
{
    /// <summary>libvips.</summary>
    Vips,

    /// <summary>ImageSharp.</summary>
    ImageSharp,
}
