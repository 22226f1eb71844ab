using System.Text.Json;

namespace Fpn.Service.Json;

/// <summary>Tells URLs from base64 in the strings of a body.</summary>
internal static class ImageUrl
{
    /// <summary>A text without this is not a URL; base64 has no colon.</summary>
    private static ReadOnlySpan<byte> SchemeEnd => "://"u8;

    /// <summary>Longest scheme that is looked for, in bytes.</summary>
    private const int LongestScheme = 16;

    /// <summary>Longest URL that is read, in bytes; what is longer is refused as base64.</summary>
    private const int LongestUrl = 16 << 10;

    /// <summary>Reads a string that is a URL.</summary>
    /// <param name="body">The whole body.</param>
    /// <param name="text">The place of the string.</param>
    /// <returns>The URL, of any scheme; null when the string is something else.</returns>
    public static string? Find(ReadOnlySpan<byte> body, Base64Text text)
    {
        var place = body.Slice(text.Start, text.Length);
        if (place.Length > LongestUrl)
        {
            return null;
        }

        // Some writers escape the slashes.
        var start = place[..Math.Min(place.Length, LongestScheme + 5)];
        return start.IndexOf(SchemeEnd) > 0 || start.IndexOf(":\\/\\/"u8) > 0 ? Read(body, text) : null;
    }

    /// <summary>Reads a string that is a path on some host: it begins with a slash and has a file name.</summary>
    /// <remarks>Base64 of a JPEG begins with a slash as well, but has no dot.</remarks>
    /// <param name="body">The whole body.</param>
    /// <param name="text">The place of the string.</param>
    /// <returns>The path; null when the string is something else.</returns>
    public static string? FindPath(ReadOnlySpan<byte> body, Base64Text text)
    {
        var place = body.Slice(text.Start, text.Length);
        return place.Length <= LongestUrl
            && (place.StartsWith("/"u8) || place.StartsWith("\\/"u8))
            && place.ContainsAny("?.-_%"u8)
                ? Read(body, text)
                : null;
    }

    private static string? Read(ReadOnlySpan<byte> body, Base64Text text)
    {
        try
        {
            return JsonSerializer.Deserialize(
                body.Slice(text.Start - 1, text.Length + 2), UrlJsonContext.Default.String);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Half of a surrogate pair.
            return null;
        }
    }
}
