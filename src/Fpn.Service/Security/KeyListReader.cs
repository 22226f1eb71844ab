using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Fpn.Serving.Requests;
using Fpn.Settings;

namespace Fpn.Service.Security;

/// <summary>Reads lists of keys from JSON: strict, and silent about everything that could be a key.</summary>
/// <remarks>
/// Walked by hand: the serializer's messages quote what they stumble over, which may be a key without its quotes or in
/// the place of a name. Messages name the source and the entry by its number, and members only once they are known.
/// </remarks>
internal static class KeyListReader
{
    private const int MostKeys = 10_000;
    private const int MostPerMinute = 10_000_000;
    private const int LongestName = 64;
    private const string Shape = "a list of objects with name, key or sha256, scopes and, if wanted, "
        + "requestsPerMinute, burst, highestPriority";

    private static readonly string[] Members =
        ["name", "key", "sha256", "scopes", "requestsPerMinute", "burst", "highestPriority"];

    private static readonly JsonDocumentOptions Options = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        AllowDuplicateProperties = false,
        MaxDepth = 4,
    };

    /// <summary>Reads a list of keys.</summary>
    /// <param name="utf8">The JSON.</param>
    /// <param name="source">Its name in messages: a file or a setting.</param>
    /// <exception cref="SettingsException">
    /// The JSON is not a list of keys; the message quotes only names of members.
    /// </exception>
    public static IReadOnlyList<KeyEntry> Read(ReadOnlyMemory<byte> utf8, string source)
    {
        try
        {
            using var document = JsonDocument.Parse(WithoutMark(utf8), Options);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Array || root.GetArrayLength() > MostKeys)
            {
                throw new SettingsException($"{source}: must be {Shape}; at most {MostKeys}.");
            }

            return
            [
                .. root.EnumerateArray().Select((entry, index) => ReadEntry(entry, $"{source}: entry {index + 1}")),
            ];
        }
        catch (JsonException exception)
        {
            // Neither its message nor itself as the inner exception: both may quote a key.
            throw new SettingsException(
                $"{source}: is not JSON, or repeats a member, near line {exception.LineNumber + 1}; "
                + $"it must be {Shape}.");
        }
        catch (InvalidOperationException)
        {
            // The reader throws this for strings that are not Unicode.
            throw new SettingsException($"{source}: holds a string that is not valid UTF-8; it must be {Shape}.");
        }
    }

    private static ReadOnlyMemory<byte> WithoutMark(ReadOnlyMemory<byte> utf8) =>
        utf8.Span.StartsWith(Encoding.UTF8.Preamble) ? utf8[Encoding.UTF8.Preamble.Length..] : utf8;

    private static KeyEntry ReadEntry(JsonElement entry, string where)
    {
        if (entry.ValueKind != JsonValueKind.Object)
        {
            throw new SettingsException($"{where} must be an object.");
        }

        if (entry.EnumerateObject().Any(member => Array.IndexOf(Members, member.Name) < 0))
        {
            throw new SettingsException($"{where} has an unknown member; known: {string.Join(", ", Members)}.");
        }

        var name = Text(entry, "name");
        if (name is not { Length: > 0 and <= LongestName } || !name.All(IsNameCharacter))
        {
            throw new SettingsException(
                $"{where}: 'name' must be 1 to {LongestName} letters, digits, dots, dashes or underscores.");
        }

        var perMinute = Number(entry, "requestsPerMinute", where);
        var burst = Number(entry, "burst", where);
        if (burst is not null && perMinute is null)
        {
            throw new SettingsException($"{where}: 'burst' needs 'requestsPerMinute'.");
        }

        // Ten seconds' worth, so that a page that sends a few pictures at once is not refused.
        burst ??= Math.Max(1, (perMinute ?? 0) / 6);
        return new KeyEntry(
            name, Digest(entry, where), Scopes(entry, where), perMinute, burst.Value, Priority(entry, where));
    }

    private static bool IsNameCharacter(char character) =>
        char.IsAsciiLetterOrDigit(character) || character is '.' or '-' or '_';

    private static byte[] Digest(JsonElement entry, string where)
    {
        var isPlain = entry.TryGetProperty("key", out var key);
        if (isPlain == entry.TryGetProperty("sha256", out var sha256))
        {
            throw new SettingsException($"{where} must have either 'key' or 'sha256'.");
        }

        return isPlain ? DigestKey(key, where) : ParseDigest(sha256, where);
    }

    /// <summary>Reads from the buffer that the caller wipes: no string of the key is left behind.</summary>
    private static byte[] DigestKey(JsonElement key, string where)
    {
        Span<char> characters = stackalloc char[KeyDigest.LongestKey];
        var raw = key.ValueKind == JsonValueKind.String ? JsonMarshal.GetRawUtf8Value(key)[1..^1] : [];
        if (raw.Length > KeyDigest.LongestKey
            || !Ascii.IsValid(raw)
            || !KeyDigest.IsPossible(characters[..Encoding.ASCII.GetChars(raw, characters)]))
        {
            throw new SettingsException(
                $"{where}: 'key' must be {KeyDigest.ShortestKey} to {KeyDigest.LongestKey} letters, digits "
                + "or - . _ ~ + / = (openssl rand -hex 32 makes one).");
        }

        var digest = new byte[KeyDigest.Length];
        KeyDigest.Compute(characters[..raw.Length], digest);
        characters.Clear();
        return digest;
    }

    private static byte[] ParseDigest(JsonElement sha256, string where)
    {
        var digest = new byte[KeyDigest.Length];
        var hex = sha256.ValueKind == JsonValueKind.String ? sha256.GetString()! : string.Empty;
        var isWhole = hex.Length == 2 * digest.Length
            && Convert.FromHexString(hex, digest, out _, out _) == OperationStatus.Done;
        return isWhole
            ? digest
            : throw new SettingsException($"{where}: 'sha256' must be {2 * digest.Length} hexadecimal digits.");
    }

    private static KeyScope Scopes(JsonElement entry, string where)
    {
        var scopes = KeyScope.None;
        if (entry.TryGetProperty("scopes", out var list) && list.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in list.EnumerateArray())
            {
                var scope = (item.ValueKind == JsonValueKind.String ? item.GetString() : null) switch
                {
                    "detect" => KeyScope.Detect,
                    "metrics" => KeyScope.Metrics,
                    "admin" => KeyScope.Admin,
                    _ => throw WrongScopes(),
                };
                scopes |= scope;
            }
        }

        return scopes == KeyScope.None ? throw WrongScopes() : scopes;

        SettingsException WrongScopes() => new($"{where}: 'scopes' must list some of detect, metrics, admin.");
    }

    private static RequestPriority Priority(JsonElement entry, string where)
    {
        const string Member = "highestPriority";
        return !entry.TryGetProperty(Member, out _)
            ? RequestPriority.Normal
            : Text(entry, Member) switch
            {
                "high" => RequestPriority.High,
                "normal" => RequestPriority.Normal,
                "low" => RequestPriority.Low,
                _ => throw new SettingsException($"{where}: '{Member}' must be high, normal or low."),
            };
    }

    private static int? Number(JsonElement entry, string member, string where)
    {
        if (!entry.TryGetProperty(member, out var value))
        {
            return null;
        }

        var number = value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var whole) ? whole : 0;
        return number is >= 1 and <= MostPerMinute
            ? number
            : throw new SettingsException($"{where}: '{member}' must be a whole number from 1 to {MostPerMinute}.");
    }

    /// <summary>The text of a member; null when it is absent or not a string.</summary>
    private static string? Text(JsonElement entry, string member) =>
        entry.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
