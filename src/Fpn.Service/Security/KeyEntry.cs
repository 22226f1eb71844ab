using Fpn.Serving.Requests;

namespace Fpn.Service.Security;

/// <summary>One key as it is configured.</summary>
/// <param name="Name">Its name in logs and messages; unique.</param>
/// <param name="Digest">SHA-256 of the key, 32 bytes; the key itself is not kept.</param>
/// <param name="Scopes">The scopes that it has, at least one.</param>
/// <param name="RequestsPerMinute">Its rate; null for no limit.</param>
/// <param name="Burst">Requests that it may send at once, where it has a rate.</param>
/// <param name="HighestPriority">The most urgent priority of its requests.</param>
internal sealed record KeyEntry(
    string Name, byte[] Digest, KeyScope Scopes, int? RequestsPerMinute, int Burst, RequestPriority HighestPriority);
