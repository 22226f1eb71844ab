namespace Fpn.Models;

/// <summary>Why an image was rejected.</summary>
public enum ImageRejection
{
    /// <summary>The bytes are not an image, or one in a format that is not read.</summary>
    UnsupportedFormat,

    /// <summary>The file has more bytes than <see cref="DetectorOptions.MaxImageBytes"/>.</summary>
    TooManyBytes,

    /// <summary>The image has more pixels than <see cref="DetectorOptions.MaxImagePixels"/>; it was not
    /// decoded.</summary>
    TooManyPixels,

    /// <summary>The format is read, but the file is cut off, damaged or has no pixels.</summary>
    Undecodable,
}

/// <summary>An image cannot be used, which programs that take images from others must expect. The detector stays
/// usable.</summary>
public sealed class ImageRejectedException : Exception
{
    /// <summary>Rejects an image.</summary>
    /// <param name="reason">The kind of failure.</param>
    /// <param name="message">One sentence for the person who sent the image.</param>
    public ImageRejectedException(ImageRejection reason, string message)
        : base(message) => Reason = reason;

    /// <summary>The kind of failure.</summary>
    public ImageRejection Reason { get; }
}
