using Fpn.Imaging.Decoding;

namespace Fpn.Serving.Pipeline;

/// <summary>A part of an image could not be decoded when it was its turn.</summary>
/// <param name="outcome">Why.</param>
internal sealed class ImageRefusedException(DecodeOutcome outcome) : Exception(outcome.Detail)
{
    /// <summary>Why.</summary>
    public DecodeOutcome Outcome { get; } = outcome;
}
