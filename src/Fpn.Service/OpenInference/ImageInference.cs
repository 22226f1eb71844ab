using Fpn.Service.Detect;
using Fpn.Service.OpenInference.Outputs;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;

namespace Fpn.Service.OpenInference;

/// <summary>Runs the images of one inference request, whichever way it came.</summary>
internal sealed class ImageInference(SideBySide images)
{
    /// <summary>Asks the model about all images, and keeps what the request asks for.</summary>
    /// <param name="lane">The model; the caller holds a use of it.</param>
    /// <param name="encoded">[N] encoded images; in use until the task is done.</param>
    /// <param name="choices">What the request's parameters say.</param>
    /// <param name="headers">Priority and deadline where they say nothing.</param>
    /// <param name="caller">Pays for the images beyond the first, and for views.</param>
    /// <param name="cancellationToken">The client went away.</param>
    /// <returns>
    /// The rows of the answer; or the problem of the first that failed: the others are given up.
    /// </returns>
    /// <exception cref="OperationCanceledException">The client went away.</exception>
    public async Task<Outcome<OutputRows>> InferAsync(
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
                lane, encoded, urgency, choices.Task, choices.Views.Options, caller, ImageTensor.At, cancellationToken))
            .Succeeded(out var results, out var problem))
        {
            return problem;
        }

        var contract = lane.Model.Contract;
        return choices.WantsProposals
            ? new ProposalRows(contract, Array.ConvertAll(results, result => result.Proposals!))
            : new DetectionRows(
                contract, Array.ConvertAll(results, result => choices.Filter.Apply(result.Detections).ToArray()));
    }
}
