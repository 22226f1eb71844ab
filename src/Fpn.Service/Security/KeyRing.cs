using System.Security.Cryptography;

namespace Fpn.Service.Security;

/// <summary>The keys that are valid at one time. Immutable: a change makes a new ring.</summary>
/// <param name="keys">Digest and holder of each.</param>
internal sealed class KeyRing(IReadOnlyList<(byte[] Digest, Caller Holder)> keys)
{
    /// <summary>The number of keys.</summary>
    public int Count => keys.Count;

    /// <summary>Finds the holder of a key.</summary>
    /// <param name="digest">The digest of the key that was sent.</param>
    /// <returns>The holder, or null.</returns>
    /// <remarks>
    /// Compares every key, and each in the same time: the time taken reveals neither how many characters were right nor
    /// whether a key was.
    /// </remarks>
    public Caller? Find(ReadOnlySpan<byte> digest)
    {
        Caller? found = null;
        foreach (var (known, holder) in keys)
        {
            found = CryptographicOperations.FixedTimeEquals(known, digest) ? holder : found;
        }

        return found;
    }

    /// <summary>Whether any key has a scope.</summary>
    public bool HasScope(KeyScope scope) => keys.Any(key => key.Holder.Scopes.HasFlag(scope));
}
