using System.Net;

namespace Fpn.Service.Security;

/// <summary>
/// Places, besides <c>X-Api-Key</c> and <c>Authorization: Bearer</c>, from which an endpoint takes the key of its
/// clients that have a place of their own.
/// </summary>
internal sealed record KeyPlaces
{
    /// <summary>A further header; null for none.</summary>
    public string? Header { get; init; }

    /// <summary>A query parameter; null for none.</summary>
    public string? Query { get; init; }

    /// <summary>Whether the password of HTTP Basic is the key; the user name does not matter.</summary>
    public bool Basic { get; init; }

    /// <summary>
    /// Whether the body may hold the key: a request without another key is let in with a caller that has no scope, and
    /// the endpoint checks the key with <see cref="KeyCheck"/> once it has read the body.
    /// </summary>
    public bool InBody { get; init; }

    /// <summary>Networks whose clients need no key, since they cannot send one.</summary>
    public IReadOnlyList<IPNetwork> TrustedNetworks { get; init; } = [];
}
