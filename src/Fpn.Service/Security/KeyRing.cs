using System.Security.Cryptography;

namespace Fpn.Service.Security;

/// <summary>The keys that are valid at one time; never changed, only replaced.</summary>
/// <param name="keys">Digest and holder of each.</param>
internal sealed class KeyRing(IReadOnlyList<(byte[] Digest, Caller Holder)> keys)
{
    /// <summary>How many there are.</summary>
    public int Count => keys.Count;

    /// <summary>Finds who holds a key.</summary>
    /// <param name="digest">The digest of what was presented.</param>
    /// <returns>The holder, or null.</returns>
    /// <remarks>
    /// Every key is compared, and each in the same time: how long it takes tells neither how many characters were right
    /// nor whether a key was.
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

    /// <summary>Whether any key may be used for this.</summary>
    public bool HasScope(KeyScope scope) => keys.Any(key => key.Holder.Scopes.HasFlag(scope));
}
