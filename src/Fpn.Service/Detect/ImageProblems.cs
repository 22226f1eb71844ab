using Fpn.Imaging.Decoding;
using Fpn.Service.Annotations;
using Fpn.Service.Bodies;
using Fpn.Service.Formats;
using Fpn.Service.Problems;

namespace Fpn.Service.Detect;

/// <summary>The problems of endpoints that take one image, for the OpenAPI document.</summary>
internal static class ImageProblems
{
    /// <summary>Lists them.</summary>
    /// <param name="decoder">Whose words they are in.</param>
    /// <param name="served">What the endpoint can answer with.</param>
    /// <param name="own">The endpoint's own: at least one bad parameter.</param>
    public static ProblemsMetadata Create(
        ImageDecoder decoder, IReadOnlyList<OutputChoice> served, params ReadOnlySpan<Problem> own) => new(
    [
        ImageBodyReader.Empty(ImageBodyReader.PartName),
        ImageBodyReader.SecondImage(),
        .. own,
        MultipartForm.Broken(),
        Problem.UnknownModel("pets", ["everyday", "blood-cells"]),
        FormatNegotiation.Excluded("text/html", served),
        Problem.BodyTooSlow(),
        Problem.ImageTooLarge(20L << 20),
        FailureExamples.TooManyPixels(decoder),
        FailureExamples.UnsupportedImageFormat(decoder),
        FailureExamples.UndecodableImage(),
        FailureExamples.ModelOutputNotFinite(),
        FailureExamples.ModelFailure(),
        Problem.InternalError(),
        FailureExamples.QueueFull(),
        FailureExamples.ShuttingDown(),
        FailureExamples.DeviceLost(),
        FailureExamples.DeadlineOutOfReach(),
    ]);
}
