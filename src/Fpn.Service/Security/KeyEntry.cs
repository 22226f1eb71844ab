using Fpn.Serving.Requests;

namespace Fpn.Service.Security;

/// <summary>One key as it is configured.</summary>
/// <param name="Name">What logs and messages call it; unique.</param>
/// <param name="Digest">SHA-256 of the key, 32 bytes; the key itself is not kept.</param>
/// <param name="Scopes">What it may be used for, at least one.</param>
/// <param name="RequestsPerMinute">Its rate; null is not limited.</param>
/// <param name="Burst">Requests at once, where there is a rate.</param>
/// <param name="HighestPriority">The most urgent that its requests may be.</param>
internal sealed record KeyEntry(
    string Name, byte[] Digest, KeyScope Scopes, int? RequestsPerMinute, int Burst, RequestPriority HighestPriority);
