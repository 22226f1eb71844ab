using System.Diagnostics.CodeAnalysis;
using Fpn.Imaging.Painting;
using Fpn.Serving.Requests;

namespace Fpn.Serving.Pipeline;

/// <summary>A drawn picture, or the reason why there is none.</summary>
internal sealed class PaintedPicture
{
    /// <summary>A picture; ownership goes to the receiver.</summary>
    public PaintedPicture(EncodedPicture picture) => Picture = picture;

    /// <summary>No picture.</summary>
    /// <param name="failure">A result with its failure set.</param>
    public PaintedPicture(DetectionResult failure) => Failure = failure;

    /// <summary>The picture, which the receiver disposes; null on failure.</summary>
    public EncodedPicture? Picture { get; }

    /// <summary>Why there is none; null on success.</summary>
    public DetectionResult? Failure { get; }

    /// <summary>Whether there is a picture.</summary>
    [MemberNotNullWhen(true, nameof(Picture))]
    [MemberNotNullWhen(false, nameof(Failure))]
    public bool Succeeded => Picture is not null;
}
