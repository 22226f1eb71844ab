using System.Buffers;
using System.Buffers.Text;
using Fpn.Service.Engine;
using Fpn.Service.Problems;

namespace Fpn.Service.Json;

/// <summary>Images that JSON holds as base64: decoded where they stand, nothing is copied.</summary>
internal static class InlineImage
{
    /// <summary>Longest start of a data URL, up to its comma.</summary>
    private const int LongestPrefix = 128;

    /// <summary>Decodes an image.</summary>
    /// <param name="body">The whole body; the text is overwritten.</param>
    /// <param name="text">The image's place in it; also a data URL.</param>
    /// <param name="limits">The limits of images.</param>
    /// <param name="path">The image's name in problems.</param>
    /// <param name="image">The encoded image, a part of <paramref name="body"/>; empty with a problem.</param>
    /// <returns>Null, or the problem: not base64, empty or too large.</returns>
    public static Problem? Decode(
        Memory<byte> body, Base64Text text, LimitsOptions limits, string path, out ReadOnlyMemory<byte> image)
    {
        image = default;
        var place = body.Slice(text.Start, text.Length);
        if (text.IsEscaped)
        {
            if (!TryUnescape(place.Span, out var shorter))
            {
                return NotBase64(path);
            }

            place = place[..shorter];
        }

        if (place.Span.StartsWith("data:"u8))
        {
            var comma = place.Span[..Math.Min(place.Length, LongestPrefix)].IndexOf((byte)',');
            if (comma < 0 || !place.Span[..comma].EndsWith(";base64"u8))
            {
                return NotBase64(path);
            }

            place = place[(comma + 1)..];
        }

        // Refuses what is too large before it is decoded; Check knows the exact size.
        if (place.Length / 4L * 3 - 2 > limits.MaxImageBytes)
        {
            return Problem.ImageTooLarge(limits.MaxImageBytes) with { Parameter = path };
        }

        if (Base64.DecodeFromUtf8InPlace(place.Span, out var length) != OperationStatus.Done)
        {
            return NotBase64(path);
        }

        image = place[..length];
        return Check(image, limits, path);
    }

    /// <summary>Checks the size of an image.</summary>
    /// <param name="image">An encoded image.</param>
    /// <param name="limits">The limits of images.</param>
    /// <param name="path">The image's name in problems.</param>
    /// <returns>Null, or the problem: empty or too large.</returns>
    public static Problem? Check(ReadOnlyMemory<byte> image, LimitsOptions limits, string path) =>
        image.IsEmpty ? Problem.BadParameter(path, "Is empty.")
        : image.Length > limits.MaxImageBytes
            ? Problem.ImageTooLarge(limits.MaxImageBytes) with { Parameter = path }
        : null;

    private static Problem NotBase64(string path) =>
        Problem.BadParameter(path, "Is not base64: A-Z, a-z, 0-9, + and /, padded with = to a multiple of four.");

    /// <summary>Removes the escapes from a JSON string that the reader has found well-formed.</summary>
    /// <remarks>Some writers escape <c>/</c> and <c>+</c>, which base64 uses.</remarks>
    /// <param name="text">Changed in place.</param>
    /// <param name="length">Length without the escapes, in bytes.</param>
    /// <returns>False when an escape stands for a character that base64 cannot hold.</returns>
    private static bool TryUnescape(Span<byte> text, out int length)
    {
        length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var value = text[i];
            if (value == '\\')
            {
                value = text[++i];
                if (value == 'u')
                {
                    if (!Utf8Parser.TryParse(text.Slice(i + 1, 4), out ushort code, out _, 'x') || code > 0x7F)
                    {
                        return false;
                    }

                    value = (byte)code;
                    i += 4;
                }
                else if (value != '/')
                {
                    return false;
                }
            }

            text[length++] = value;
        }

        return true;
    }
}
