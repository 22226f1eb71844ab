using System.Diagnostics.CodeAnalysis;
using Fpn.Imaging.Pixels;

namespace Fpn.Imaging.Decoding;

/// <summary>The reason why bytes did not become an image.</summary>
internal enum DecodeFailure
{
    /// <summary>The format is not supported, or the file is too short to recognize (415).</summary>
    UnsupportedFormat,

    /// <summary>The header announces more pixels than allowed (413); nothing was decoded.</summary>
    TooManyPixels,

    /// <summary>The format is supported, but the file is cut off, corrupt or zero-sized (422).</summary>
    Undecodable,
}

/// <summary>The result of decoding an image: pixels, or the reason for refusing it.</summary>
internal readonly record struct DecodeOutcome
{
    private DecodeOutcome(DecodedImage? image, DecodeFailure failure, string detail)
    {
        Image = image;
        Failure = failure;
        Detail = detail;
    }

    /// <summary>The image, which the receiver disposes; null on failure.</summary>
    public DecodedImage? Image { get; }

    /// <summary>The kind of failure; undefined on success.</summary>
    public DecodeFailure Failure { get; }

    /// <summary>One sentence for the client; empty on success. Never holds native messages: libvips keeps those in one
    /// buffer for the process, so they could belong to another request.</summary>
    public string Detail { get; }

    /// <summary>Whether the image was decoded.</summary>
    [MemberNotNullWhen(true, nameof(Image))]
    public bool Succeeded => Image is not null;

    /// <summary>A decoded image; ownership passes to the receiver.</summary>
    internal static DecodeOutcome Success(DecodedImage image) => new(image, default, "");

    /// <summary>A failure with its sentence for the client.</summary>
    internal static DecodeOutcome Fail(DecodeFailure failure, string detail) => new(null, failure, detail);
}
