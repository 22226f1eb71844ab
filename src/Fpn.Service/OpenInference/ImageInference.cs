using Fpn.Models.Detectors;
using Fpn.Service.Detect;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;
using SideBySide = Fpn.Service.Detect.SideBySide;

namespace Fpn.Service.OpenInference;

/// <summary>Runs the images of one inference request, whichever way it came.</summary>
internal sealed class ImageInference(SideBySide images)
{
    /// <summary>Detects the objects of all images, and keeps those that the request asks for.</summary>
    /// <param name="lane">The model; the caller holds a use of it.</param>
    /// <param name="encoded">[N] encoded images; in use until the task is done.</param>
    /// <param name="choices">What the request's parameters say.</param>
    /// <param name="headers">Priority and deadline where they say nothing.</param>
    /// <param name="caller">Pays for the images beyond the first.</param>
    /// <param name="cancellationToken">The client went away.</param>
    /// <returns>
    /// [N], in the order of the images; or the problem of the first that failed: the others are given up.
    /// </returns>
    /// <exception cref="OperationCanceledException">The client went away.</exception>
    public async Task<Outcome<DetectedObject[][]>> DetectAsync(
        ModelLane lane,
        ReadOnlyMemory<byte>[] encoded,
        InferChoices choices,
        DetectHeaders headers,
        Caller caller,
        CancellationToken cancellationToken)
    {
        if (choices.Priority is { } priority && caller.Check(priority) is { } tooUrgent)
        {
            return tooUrgent;
        }

        caller.ChargeMore(Math.Max(0, encoded.Length - 1));
        var urgency = new DetectHeaders(choices.Priority ?? headers.Priority, choices.Timeout ?? headers.Timeout);
        if (!(await images.DetectAsync(
                lane, encoded, urgency, choices.Views.Options, ImageTensor.At, cancellationToken))
            .Succeeded(out var results, out var problem))
        {
            return problem;
        }

        caller.ChargeMore(results.Sum(result => result.ViewCount - 1));
        return Array.ConvertAll(results, result => choices.Filter.Apply(result.Detections).ToArray());
    }
}
