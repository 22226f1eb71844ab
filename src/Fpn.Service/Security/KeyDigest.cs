using System.Buffers;
using System.Security.Cryptography;

namespace Fpn.Service.Security;

/// <summary>The SHA-256 of a key: keys are kept and compared as digests.</summary>
/// <remarks>Keys are random and long, so that a fast digest is enough: they cannot be guessed.</remarks>
internal static class KeyDigest
{
    /// <summary>Bytes of a digest.</summary>
    public const int Length = SHA256.HashSizeInBytes;

    /// <summary>The shortest valid key, in characters.</summary>
    public const int ShortestKey = 16;

    /// <summary>The longest valid key, in characters; longer ones are refused without a look at them.</summary>
    public const int LongestKey = 512;

    /// <summary>The characters of bearer tokens (RFC 6750, b64token).</summary>
    private static readonly SearchValues<char> Characters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=");

    /// <summary>Whether a text can be a key at all, by its length and its characters.</summary>
    public static bool IsPossible(ReadOnlySpan<char> key) =>
        key.Length is >= ShortestKey and <= LongestKey && !key.ContainsAnyExcept(Characters);

    /// <summary>Computes the digest.</summary>
    /// <param name="key">One that <see cref="IsPossible"/>.</param>
    /// <param name="digest">Filled with <see cref="Length"/> bytes.</param>
    public static void Compute(ReadOnlySpan<char> key, Span<byte> digest)
    {
        Span<byte> bytes = stackalloc byte[LongestKey];
        System.Text.Ascii.FromUtf16(key, bytes, out var written);
        SHA256.HashData(bytes[..written], digest);
        CryptographicOperations.ZeroMemory(bytes);
    }
}
