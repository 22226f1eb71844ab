using Fpn.Service.GrpcPort;
using Fpn.Service.Problems;
using Fpn.Serving.Requests;

namespace Fpn.Service.Tests.OpenInferenceGrpc;

/// <summary>gRPC's statuses: of failures those of the one table, of other problems what HTTP's status means.</summary>
public sealed class GrpcStatusTests
{
    [Fact]
    public void StatusFor_Failures_IsThatOfTheTable()
    {
        foreach (var row in FailureTable.Rows)
        {
            var problem = FailureProblems.ProblemFor(row.Kind, "detail");
            Assert.Equal(row.GrpcStatus, GrpcStatuses.StatusFor(problem));

            // Both ways agree, so that a problem of the door and a failure with one HTTP status look alike.
            Assert.Equal(row.GrpcStatus, GrpcStatuses.StatusFor(problem with { GrpcStatus = null }));
        }
    }

    [Theory]
    [InlineData("plain text", "plain text")]
    [InlineData("100 %", "100 %25")]
    [InlineData("é\n", "%C3%A9%0A")]
    public void Encode_IsPercentFormOfUtf8(string message, string encoded) =>
        Assert.Equal(encoded, GrpcStatuses.Encode(message));
}
