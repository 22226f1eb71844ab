using System.Diagnostics.CodeAnalysis;

namespace Fpn.Imaging.Decoding;

/// <summary>The result of opening an image: the opened image, or the reason for refusing it.</summary>
internal readonly record struct OpenOutcome
{
    /// <summary>A success; ownership of the image passes to the receiver.</summary>
    internal OpenOutcome(OpenedImage image) => Image = image;

    private OpenOutcome(DecodeOutcome refusal) => Refusal = refusal;

    /// <summary>The image, which the receiver disposes; null on failure.</summary>
    public OpenedImage? Image { get; }

    /// <summary>The failure; undefined on success.</summary>
    public DecodeOutcome Refusal { get; }

    /// <summary>Whether the image was opened.</summary>
    [MemberNotNullWhen(true, nameof(Image))]
    public bool Succeeded => Image is not null;

    /// <summary>A refusal.</summary>
    public static implicit operator OpenOutcome(DecodeOutcome refusal) => new(refusal);
}
