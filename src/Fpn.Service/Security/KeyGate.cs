using Fpn.Service.Problems;

namespace Fpn.Service.Security;

/// <summary>Admits requests by their keys; refuses the others before a byte of the body is read.</summary>
internal sealed class KeyGate(RequestDelegate next, KeyCheck keys)
{
    /// <summary>Checks one request.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        // Without a route it is the documentation, or a request that is answered 404 or 405.
        if (context.GetEndpoint() is not RouteEndpoint endpoint)
        {
            return next(context);
        }

        var requirement = endpoint.Metadata.GetMetadata<KeyRequirement>();
        if (requirement is { Scope: KeyScope.None }
            || keys.Admit(context, requirement, endpoint.Metadata.GetMetadata<KeyPlaces>()) is not { } problem)
        {
            return next(context);
        }

        return new ProblemResult(problem).ExecuteAsync(context);
    }
}
