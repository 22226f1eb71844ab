using System.Text.Json.Nodes;
using Fpn.Service.OpenInference;
using Fpn.Service.Problems;

namespace Fpn.Service.Compatibility.Door;

/// <summary>The form in which most programs read a failure: <c>{"error": "…"}</c>.</summary>
internal static class ErrorBody
{
    /// <summary>The JSON of a failure.</summary>
    /// <inheritdoc cref="IContract.ErrorBody"/>
    public static JsonObject Create(Problem problem, string traceId) => new()
    {
        ["error"] = ErrorResponse.TextFor(problem, traceId),
    };
}
