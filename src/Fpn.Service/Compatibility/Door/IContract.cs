using System.Text.Json.Nodes;
using Fpn.Service.Problems;

namespace Fpn.Service.Compatibility.Door;

/// <summary>
/// What another program sends to a detector and expects back: one mapper at the door and one at the exit. Everything
/// between them is <see cref="ContractDoor"/>'s.
/// </summary>
internal interface IContract
{
    /// <summary>The name by which <c>Fpn:Compatibility:Served</c> lists it.</summary>
    string Name { get; }

    /// <summary>The name of its group of operations in the OpenAPI document.</summary>
    string Title { get; }

    /// <summary>One sentence about its group of operations.</summary>
    string Description { get; }

    /// <summary>
    /// Whether the platform that the service runs on asks for the contract, by a variable that it sets.
    /// </summary>
    bool IsAskedFor => false;

    /// <summary>Maps its endpoints.</summary>
    /// <param name="routes">A group; its endpoints answer failures by <see cref="ErrorBody"/>.</param>
    void Map(IEndpointRouteBuilder routes);

    /// <summary>The JSON of a failure, as the program's clients read it.</summary>
    /// <param name="problem">What went wrong; the status of the answer is the problem's.</param>
    /// <param name="traceId">The id by which the log names it.</param>
    JsonObject ErrorBody(Problem problem, string traceId);
}

/// <summary>Marks endpoints of a contract.</summary>
/// <param name="Contract">The contract.</param>
internal sealed record ContractEndpoint(IContract Contract);
