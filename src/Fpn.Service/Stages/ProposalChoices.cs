using Fpn.Detection.Proposals;
using Fpn.Models.Packages;
using Fpn.Service.Answers;
using Fpn.Service.Problems;

namespace Fpn.Service.Stages;

/// <summary>How a request wants its proposals chosen: the same parameters for every protocol. What it does not say is
/// as the model's package has it.</summary>
/// <param name="contract">The model that proposes.</param>
internal sealed class ProposalChoices(ModelContract contract)
{
    /// <summary>What was chosen.</summary>
    public ProposalOptions Options { get; private set; } = contract.Proposals;

    /// <summary>Sets the most proposals of an image.</summary>
    /// <param name="parameter">Its name in the client's request.</param>
    /// <param name="text">A whole number of at least 1, however large.</param>
    /// <returns>Null, or the problem.</returns>
    public Problem? SetTopN(string parameter, string text)
    {
        var problem = NumberText.ReadLimit(parameter, text, out var limit);
        Options = Options with { PostNmsTopN = limit };
        return problem;
    }

    /// <summary>Sets the overlap above which a proposal is removed in favor of a better one of its level.</summary>
    /// <param name="parameter">Its name in the client's request.</param>
    /// <param name="text">A number from 0 to 1.</param>
    /// <returns>Null, or the problem.</returns>
    public Problem? SetNmsThreshold(string parameter, string text)
    {
        var problem = NumberText.ReadFraction(parameter, text, out var threshold);
        Options = Options with { NmsThreshold = threshold };
        return problem;
    }

    /// <summary>Keeps an objectness of at least this.</summary>
    /// <inheritdoc cref="SetNmsThreshold" path="/param|/returns"/>
    public Problem? SetScoreThreshold(string parameter, string text)
    {
        var problem = NumberText.ReadFraction(parameter, text, out var threshold);
        Options = Options with { ScoreThreshold = (float)threshold };
        return problem;
    }
}
