using Fpn.Models.Detectors;
using Fpn.Models.Packages;

namespace Fpn.Service.OpenInference.Outputs;

/// <summary>The proposals of the images of a request.</summary>
/// <param name="contract">The model whose first stage made them.</param>
/// <param name="proposals">[N], each best objectness first.</param>
internal sealed class ProposalRows(ModelContract contract, IReadOnlyList<ExplainedProposal>[] proposals)
    : OutputRows(contract, proposals.Length, proposals.Sum(image => image.Count))
{
    /// <inheritdoc/>
    public override void Write<TSink>(OutputTensor tensor, ref TSink sink)
    {
        for (var i = 0; i < proposals.Length; i++)
        {
            foreach (var proposal in proposals[i])
            {
                switch (tensor)
                {
                    case OutputTensor.ProposalBoxes:
                        Add(proposal.Box, ref sink);
                        break;
                    case OutputTensor.ProposalObjectness:
                        sink.Add(proposal.Objectness);
                        break;
                    case OutputTensor.ProposalLevels:
                        sink.Add((long)FindLevel(proposal.Level));
                        break;
                    default:
                        sink.Add((long)i);
                        break;
                }
            }
        }
    }

    private int FindLevel(string name)
    {
        var place = 0;
        while (Contract.Anchors.Levels[place].Name != name)
        {
            place++;
        }

        return place;
    }
}
