using Fpn.Service.Problems;

namespace Fpn.Service.Security;

/// <summary>Admits requests by their keys; refuses the others before a byte of the body is read.</summary>
internal sealed class KeyGate(RequestDelegate next, KeyCheck keys)
{
    /// <summary>Checks one request.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        // Without a route it is the documentation, or a request that is answered 404 or 405.
        var endpoint = context.GetEndpoint() as RouteEndpoint;
        var requirement = endpoint?.Metadata.GetMetadata<KeyRequirement>();
        if (endpoint is null
            || requirement is { Scope: KeyScope.None }
            || await keys.AdmitAsync(context, requirement, endpoint.Metadata.GetMetadata<KeyPlaces>())
                is not { } problem)
        {
            await next(context);
            return;
        }

        await new ProblemResult(problem).ExecuteAsync(context);
    }
}
