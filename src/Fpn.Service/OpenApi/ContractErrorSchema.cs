using Fpn.Service.Compatibility.Door;
using Fpn.Service.Problems;
using Microsoft.OpenApi;

namespace Fpn.Service.OpenApi;

/// <summary>Describes the failures of a contract by the bodies that it answers with.</summary>
internal static class ContractErrorSchema
{
    private const string TraceId = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

    /// <summary>The response for problems with the same status.</summary>
    public static OpenApiResponse Describe(IReadOnlyList<Problem> problems, IContract contract) => new()
    {
        Description = string.Join("; ", problems.Select(problem => problem.Title).Distinct()) + ".",
        Content = new Dictionary<string, IOpenApiMediaType>
        {
            ["application/json"] = new OpenApiMediaType
            {
                Schema = ExampleSchema.FromExample(contract.ErrorBody(problems[0], TraceId)),
                Examples = problems.DistinctBy(problem => problem.Type).ToDictionary(
                    problem => problem.Type,
                    IOpenApiExample (problem) =>
                        new OpenApiExample { Value = contract.ErrorBody(problem, TraceId) }),
            },
        },
    };
}
