using Fpn.Models.Packages;
using Fpn.Service.Detect;
using Fpn.Service.Problems;
using Fpn.Serving.Lanes;
using Fpn.Serving.Requests;

namespace Fpn.Service.Stages;

/// <summary>The model of a request that asks one stage alone.</summary>
internal static class StageModel
{
    /// <summary>Takes a use of the model that the query names, or of the default one.</summary>
    /// <returns>The use, which the caller disposes, or the problem: there is no such model, or it has no
    /// stages.</returns>
    public static Outcome<LaneUse> Take(IQueryCollection query, LaneRegistry lanes)
    {
        if (!QueryRules.TakeModel(query, lanes).Succeeded(out var use, out var problem))
        {
            return problem;
        }

        if (Check(use.Lane.Model.Contract) is { } refusal)
        {
            use.Dispose();
            return refusal;
        }

        return use;
    }

    /// <summary>Checks that a model has stages that can be asked alone.</summary>
    /// <returns>Null, or the problem that it has none.</returns>
    public static Problem? Check(ModelContract contract) => contract.StageRefusal is { } refusal
        ? FailureProblems.ProblemFor(FailureKind.NotTwoStage, refusal)
        : null;
}
