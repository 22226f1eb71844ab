using Fpn.Service.Annotations;
using Fpn.Service.Problems;

namespace Fpn.Service.Security;

/// <summary>What an endpoint asks of its callers; one without it lets nobody in while keys are asked for.</summary>
/// <param name="scope">The scope that the key must have; <see cref="KeyScope.None"/> asks for no key.</param>
internal sealed class KeyRequirement(KeyScope scope)
{
    /// <summary>The scope that the key must have; <see cref="KeyScope.None"/> asks for no key.</summary>
    public KeyScope Scope { get; } = scope;

    /// <summary>The scope as keys list it.</summary>
    public string Name => Scope.ToString().ToLowerInvariant();
}

/// <summary>Says on an endpoint who may call it.</summary>
internal static class KeyRequirementOfEndpoint
{
    /// <summary>Only keys with this scope, once keys are configured; the OpenAPI document shows how it fails.</summary>
    /// <param name="endpoint">The endpoint, or a group of them.</param>
    /// <param name="scope">One scope.</param>
    public static TBuilder RequireScope<TBuilder>(this TBuilder endpoint, KeyScope scope)
        where TBuilder : IEndpointConventionBuilder
    {
        var requirement = new KeyRequirement(scope);
        return endpoint.WithMetadata(
            requirement,
            new ProblemsMetadata(
                Problem.KeyMissing(),
                Problem.KeyWrong("The key is not valid here."),
                Problem.ScopeMissing("alice", requirement.Name),
                Problem.PriorityNotAllowed("alice", "high", "normal"),
                Problem.RateExceeded("alice", TimeSpan.FromSeconds(3))));
    }

    /// <summary>Anybody, with a key or without.</summary>
    /// <param name="endpoint">The endpoint, or a group of them.</param>
    public static TBuilder AllowWithoutKey<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new KeyRequirement(KeyScope.None));
}
