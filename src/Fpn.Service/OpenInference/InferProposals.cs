using Fpn.Service.OpenInference.Outputs;
using Fpn.Service.Problems;
using Fpn.Service.Stages;

namespace Fpn.Service.OpenInference;

/// <summary>Parameters of a request, of this service: how proposals are chosen, as in the query of <c>/proposals</c>.
/// They go with outputs of proposals only.</summary>
internal static class InferProposals
{
    /// <summary>The most proposals of an image.</summary>
    public const string TopN = "top_n";

    /// <summary>The overlap above which a proposal is removed.</summary>
    public const string NmsThreshold = "nms_threshold";

    /// <summary>Sets the most proposals of an image.</summary>
    /// <param name="number">The parameter's value as text; null when it is not a number.</param>
    /// <param name="path">Its name in messages.</param>
    /// <param name="choices">Takes it.</param>
    /// <returns>Null, or its problem.</returns>
    public static Problem? SetTopN(string? number, string path, InferChoices choices)
    {
        choices.ForProposals ??= path;
        return number is null
            ? Problem.BadParameter(path, "Must be a whole number of at least 1.")
            : choices.Proposals.SetTopN(path, number);
    }

    /// <summary>Sets the overlap above which a proposal is removed.</summary>
    /// <inheritdoc cref="SetTopN" path="/param|/returns"/>
    public static Problem? SetNmsThreshold(string? number, string path, InferChoices choices)
    {
        choices.ForProposals ??= path;
        return number is null
            ? Problem.BadParameter(path, "Must be a number from 0 to 1.")
            : choices.Proposals.SetNmsThreshold(path, number);
    }

    /// <summary>Checks that everything in a request is about the same thing, and notes what.</summary>
    /// <param name="wanted">The outputs that it names.</param>
    /// <param name="choices">Its parameters.</param>
    /// <returns>Null, or the problem.</returns>
    public static Problem? Check(List<WantedOutput> wanted, InferChoices choices)
    {
        choices.WantsProposals = wanted.Count > 0 && wanted[0].Tensor.IsOfProposals();
        var other = wanted.FindIndex(output => output.Tensor.IsOfProposals() != choices.WantsProposals);
        if (other > 0)
        {
            return Problem.BadParameter(
                $"outputs[{other}]",
                $"'{wanted[other].Tensor.Name()}' and '{wanted[0].Tensor.Name()}' cannot be asked for together: "
                + "proposals come from the first stage alone, detections from both. Send two requests.");
        }

        if (!choices.WantsProposals)
        {
            return choices.ForProposals is { } early
                ? Problem.BadParameter(early, "Goes with outputs of proposals only, such as 'proposal_boxes'.")
                : null;
        }

        return StageModel.Check(choices.Filter.Contract)
            ?? (choices.ForDetections is { } late
                ? Problem.BadParameter(late, "Goes with outputs of detections only: proposals have no class.")
                : null);
    }
}
