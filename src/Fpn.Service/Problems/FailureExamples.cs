using Fpn.Detection.Tensors;
using Fpn.Imaging.Codecs;
using Fpn.Imaging.Decoding;
using Fpn.Models.Execution.Sessions;
using Fpn.Models.Loading;
using Fpn.Serving.Requests;
using Fpn.Serving.Sizing;

namespace Fpn.Service.Problems;

/// <summary>
/// Examples of what may become of an image, for the OpenAPI document: in the words of the code that says them to
/// clients.
/// </summary>
internal static class FailureExamples
{
    private const string Model = "everyday";

    public static Problem TooManyPixels(ImageDecoder decoder) =>
        Problem.TooManyPixels(decoder.TooManyPixelsDetail(50_000, 50_000));

    public static Problem UnsupportedImageFormat(ImageDecoder decoder) =>
        Problem.UnsupportedImageFormat(decoder.UnsupportedDetail);

    public static Problem UndecodableImage() => Problem.UndecodableImage(
        ImageDecoder.UndecodableDetail(ImageFormat.Jpeg, ImageDecoder.EndIsMissing));

    public static Problem ModelOutputNotFinite() =>
        FailureProblems.Of(new NonFiniteOutputException("objectness_p3", 17, float.NaN));

    public static Problem ModelFailure() =>
        FailureProblems.Of(OnnxGraph.Failure("head.onnx", new InvalidOperationException("…")));

    public static Problem QueueFull() => FailureProblems.Of(
        DetectionResult.QueueFull(new BatchingOptions().QueueCapacity, TimeSpan.FromSeconds(3)));

    public static Problem ShuttingDown() => Problem.ShuttingDown(new ShuttingDownException().Message);

    public static Problem DeviceLost() => Problem.DeviceLost(ModelEntry.LostDetail(Model));

    public static Problem DeadlineOutOfReach() => FailureProblems.Of(
        DetectionResult.DeadlineOutOfReach(TimeSpan.FromMilliseconds(500), TimeSpan.FromMilliseconds(2100)));

    public static Problem DeadlinePassed() => FailureProblems.Of(
        DetectionResult.DeadlinePassed(TimeSpan.FromMilliseconds(500), expected: TimeSpan.Zero));
}
