using System.Buffers;
using System.Security.Cryptography;

namespace Fpn.Service.Security;

/// <summary>Keys are kept, and compared, as their SHA-256.</summary>
/// <remarks>Keys are random and long, so that a fast digest is enough: there is nothing to guess it by.</remarks>
internal static class KeyDigest
{
    /// <summary>Bytes of a digest.</summary>
    public const int Length = SHA256.HashSizeInBytes;

    /// <summary>The shortest key that is taken, in characters.</summary>
    public const int ShortestKey = 16;

    /// <summary>The longest key that is taken, in characters; longer ones are refused unread.</summary>
    public const int LongestKey = 512;

    /// <summary>What bearer tokens are made of (RFC 6750, b64token).</summary>
    private static readonly SearchValues<char> Characters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=");

    /// <summary>Whether this could be a key at all: its length and its characters.</summary>
    public static bool IsPossible(ReadOnlySpan<char> key) =>
        key.Length is >= ShortestKey and <= LongestKey && !key.ContainsAnyExcept(Characters);

    /// <summary>Computes the digest.</summary>
    /// <param name="key">One that <see cref="IsPossible"/>.</param>
    /// <param name="digest">Filled with <see cref="Length"/> bytes.</param>
    public static void Of(ReadOnlySpan<char> key, Span<byte> digest)
    {
        Span<byte> bytes = stackalloc byte[LongestKey];
        System.Text.Ascii.FromUtf16(key, bytes, out var written);
        SHA256.HashData(bytes[..written], digest);
        CryptographicOperations.ZeroMemory(bytes);
    }
}
