using Fpn.Service.Problems;
using Fpn.Service.Wire;

namespace Fpn.Service.Security;

/// <summary>Lets requests through by their keys; refuses others before a byte of a body is read.</summary>
/// <param name="next">The rest of the pipeline.</param>
/// <param name="keys">Those that are valid.</param>
internal sealed class KeyGate(RequestDelegate next, ApiKeys keys)
{
    private const string BearerScheme = "Bearer ";

    /// <summary>Checks one request.</summary>
    public Task InvokeAsync(HttpContext context)
    {
        // What is no route is the documentation, or answers nothing but 404 and 405.
        if (context.GetEndpoint() is not RouteEndpoint endpoint)
        {
            return next(context);
        }

        var requirement = endpoint.Metadata.GetMetadata<KeyRequirement>();
        if (requirement is { Scope: KeyScope.None } || Check(context, requirement) is not { } problem)
        {
            return next(context);
        }

        if (problem.Status == StatusCodes.Status401Unauthorized)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
        }

        return new ProblemResult(problem).ExecuteAsync(context);
    }

    private Problem? Check(HttpContext context, KeyRequirement? requirement)
    {
        if (Presented(context.Request.Headers, out var key) is { } unusable)
        {
            return unusable;
        }

        if (!keys.TryFind(key, out var caller))
        {
            return Problem.KeyWrong("The key is not valid here.");
        }

        context.Features.Set(caller);
        if (requirement is null || !caller.Scopes.HasFlag(requirement.Scope))
        {
            return Problem.ScopeMissing(caller.Name!, requirement?.Name);
        }

        return caller.TryEnter(out var retryAfter) ? null : Problem.RateExceeded(caller.Name!, retryAfter);
    }

    /// <summary>Takes the key out of the headers.</summary>
    /// <returns>Null, or why there is none to be looked at.</returns>
    private static Problem? Presented(IHeaderDictionary headers, out ReadOnlySpan<char> key)
    {
        key = default;
        var (own, authorization) = (headers[ApiHeaders.Key], headers.Authorization);
        if (own.Count > 1 || authorization.Count > 1)
        {
            return Problem.KeyWrong("The key is given more than once.");
        }

        // Other schemes are not ours: a proxy in front may have asked for a password of its own.
        var value = authorization.ToString();
        var isBearer = value.StartsWith(BearerScheme, StringComparison.OrdinalIgnoreCase);
        var bearer = isBearer ? value.AsSpan(BearerScheme.Length).Trim() : default;
        key = own.Count == 1 ? own[0].AsSpan().Trim() : bearer;
        if (own.Count == 1 && !bearer.IsEmpty && !bearer.SequenceEqual(key))
        {
            return Problem.KeyWrong($"{ApiHeaders.Key} and Authorization give different keys.");
        }

        return key.IsEmpty ? Problem.KeyMissing() : null;
    }
}
