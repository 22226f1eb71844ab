using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.OpenInference;

/// <summary>Compares outputs of proposals with the answers of <c>/proposals</c>.</summary>
internal static class ProposalAnswers
{
    /// <summary>Asserts that the rows are the proposals of each image in their order.</summary>
    /// <param name="expected">The answers of <c>/proposals</c>, which rounds: five decimals of objectness, three of
    /// coordinates.</param>
    /// <param name="boxes">[P, 4].</param>
    /// <param name="objectness">[P].</param>
    /// <param name="levels">[P], from 0: of blood-cells, p2 is the first.</param>
    /// <param name="index">[P].</param>
    public static void AssertSame(
        IReadOnlyList<JsonElement> expected, float[] boxes, float[] objectness, long[] levels, long[] index)
    {
        var rows = expected
            .SelectMany((answer, image) => answer.GetProperty("proposals").EnumerateArray()
                .Select(proposal => (Image: (long)image, Proposal: proposal)))
            .ToArray();
        Assert.NotEmpty(rows);
        Assert.Equal(rows.Select(row => row.Image), index);
        Assert.Equal(
            rows.Select(row => row.Proposal.GetProperty("objectness").GetDouble()),
            objectness.Select(value => Math.Round((double)value, 5)));
        Assert.Equal(
            rows.Select(row => row.Proposal.GetProperty("level").GetString()), levels.Select(level => $"p{level + 2}"));
        Assert.Equal(
            rows.SelectMany(row => row.Proposal.Corners()), boxes.Select(value => Math.Round((double)value, 3)));
    }
}
