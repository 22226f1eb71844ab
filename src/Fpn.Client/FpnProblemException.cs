using System.Net;
using System.Text.Json;

namespace Fpn.Client;

/// <summary>The service, or what stands in front of it, refused a request or failed at it.</summary>
public sealed class FpnProblemException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="problem">What the answer said.</param>
    /// <param name="requestId">The answer's <c>X-Request-Id</c>, if it had one.</param>
    public FpnProblemException(FpnProblem problem, string? requestId = null)
        : base(MessageFor(problem))
    {
        Problem = problem;
        RequestId = requestId;
    }

    /// <summary>What the answer said.</summary>
    public FpnProblem Problem { get; }

    /// <summary>The answer's <c>X-Request-Id</c>: stands in the service's log line of the request.</summary>
    public string? RequestId { get; }

    /// <summary>HTTP status.</summary>
    public HttpStatusCode Status => (HttpStatusCode)Problem.Status;

    /// <inheritdoc cref="FpnProblem.Type"/>
    public string Type => Problem.Type;

    /// <inheritdoc cref="FpnProblem.Title"/>
    public string Title => Problem.Title;

    /// <inheritdoc cref="FpnProblem.Detail"/>
    public string? Detail => Problem.Detail;

    /// <inheritdoc cref="FpnProblem.RetryAfter"/>
    public TimeSpan? RetryAfter => Problem.RetryAfter;

    /// <inheritdoc cref="FpnProblem.Extensions"/>
    public IReadOnlyDictionary<string, JsonElement> Extensions => Problem.Extensions;

    private static string MessageFor(FpnProblem problem)
    {
        ArgumentNullException.ThrowIfNull(problem);
        var detail = problem.Detail is null ? "." : $": {problem.Detail}";
        return $"{problem.Title} ({problem.Status}, {problem.Type}){detail}";
    }
}
