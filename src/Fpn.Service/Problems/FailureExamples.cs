using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;
using Fpn.Imaging.Codecs;
using Fpn.Imaging.Decoding;
using Fpn.Models.Execution.Devices;
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
        FailureProblems.ProblemFor(
        FailureKind.TooManyPixels, decoder.TooManyPixelsDetail(50_000, 50_000));

    public static Problem TooManyViews() => FailureProblems.ProblemFor(
        DetectionFailure.TooManyViews(new ImageSize(7040, 7040), count: 226, most: 64));

    public static Problem UnsupportedImageFormat(ImageDecoder decoder) =>
        FailureProblems.ProblemFor(FailureKind.UnsupportedFormat, decoder.UnsupportedDetail);

    public static Problem UndecodableImage() => FailureProblems.ProblemFor(
        FailureKind.Undecodable, ImageDecoder.UndecodableDetail(ImageFormat.Jpeg, ImageDecoder.EndIsMissing));

    public static Problem ModelOutputNotFinite() =>
        Example(new NonFiniteOutputException("objectness_p3", 17, float.NaN));

    public static Problem ModelFailure() =>
        Example(OnnxGraph.Failure("head.onnx", new InvalidOperationException("…")));

    public static Problem QueueFull() => FailureProblems.ProblemFor(
        DetectionFailure.QueueFull(new BatchingOptions().QueueCapacity, TimeSpan.FromSeconds(3)));

    public static Problem ShuttingDown() => Example(new ShuttingDownException());

    public static Problem DeviceLost() => Example(new DeviceLostException(ModelEntry.LostDetail(Model)));

    public static Problem DeadlineOutOfReach() => FailureProblems.ProblemFor(
        DetectionFailure.DeadlineOutOfReach(TimeSpan.FromMilliseconds(500), TimeSpan.FromMilliseconds(2100)));

    public static Problem DeadlinePassed() => FailureProblems.ProblemFor(
        DetectionFailure.DeadlinePassed(TimeSpan.FromMilliseconds(500)));

    private static Problem Example(Exception exception) =>
        FailureProblems.ProblemFor(DetectionFailure.FromException(exception)!);
}
