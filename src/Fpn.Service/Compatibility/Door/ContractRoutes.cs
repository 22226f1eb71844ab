using Fpn.Service.Problems;

namespace Fpn.Service.Compatibility.Door;

/// <summary>Maps endpoints of contracts.</summary>
internal static class ContractRoutes
{
    /// <summary>Maps a <c>POST</c> that is answered with JSON, or with a problem in the contract's form.</summary>
    /// <param name="routes">The contract's routes.</param>
    /// <param name="pattern">The path.</param>
    /// <param name="answer">Answers a request.</param>
    /// <remarks>
    /// A lambda with the request as its only parameter would be taken for a <see cref="RequestDelegate"/>, whose result
    /// nothing writes.
    /// </remarks>
    public static RouteHandlerBuilder MapJsonPost(
        this IEndpointRouteBuilder routes, string pattern, Func<HttpContext, Task<Outcome<JsonAnswer>>> answer) =>
        routes.MapPost(pattern, (Delegate)((HttpContext context) => answer(context).ToResultAsync()));
}
