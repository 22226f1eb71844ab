namespace Fpn.Service.Problems;

/// <summary>The form that a protocol gives to its failures, instead of <c>application/problem+json</c>.</summary>
/// <remarks>
/// A protocol registers one as a singleton of this type, or makes it a feature of the requests that speak it.
/// </remarks>
internal interface IProblemForm
{
    /// <summary>Whether the failure of a request takes this form.</summary>
    bool Covers(HttpContext context);

    /// <summary>Writes the body; status and headers are set.</summary>
    /// <param name="problem">What went wrong.</param>
    /// <param name="context">Of the request.</param>
    Task WriteAsync(Problem problem, HttpContext context);
}
