using System.Text;
using System.Text.Json;

namespace Fpn.Service.Json;

/// <summary>Reads objects member by member from JSON that cannot be trusted, without building a tree of it.</summary>
/// <remarks>
/// The text must be valid UTF-8. Text that is not JSON ends in a <see cref="JsonException"/>.
/// </remarks>
/// <param name="json">One whole JSON value.</param>
internal ref struct JsonObjectReader(ReadOnlySpan<byte> json)
{
    /// <summary>No valid name is longer.</summary>
    private const int LongestName = 64;

    private Utf8JsonReader _reader = new(json);

    /// <summary>The token that the reader stands on.</summary>
    public readonly JsonTokenType Token => _reader.TokenType;

    /// <summary>Whether the reader stands on a string.</summary>
    public readonly bool IsText => _reader.TokenType == JsonTokenType.String;

    /// <summary>The position of the string that the reader stands on.</summary>
    public readonly Base64Text Place =>
        new((int)_reader.TokenStartIndex + 1, _reader.ValueSpan.Length, _reader.ValueIsEscaped);

    /// <summary>Moves to the next token.</summary>
    /// <exception cref="JsonException">The text ends, or is not JSON.</exception>
    public void Advance()
    {
        if (!_reader.Read())
        {
            throw new JsonException("The text ends too early.");
        }
    }

    /// <summary>Checks that nothing follows.</summary>
    /// <exception cref="JsonException">More text follows.</exception>
    public void ExpectEnd() => _reader.Read();

    /// <summary>Moves past the value that the reader stands on.</summary>
    public void Skip() => _reader.Skip();

    /// <summary>Moves to the value of the next member.</summary>
    /// <param name="name">Its name; null when it is longer than any known one, or is not text.</param>
    /// <returns>False at the end of the object.</returns>
    public bool NextMember(out string? name)
    {
        Advance();
        if (_reader.TokenType == JsonTokenType.EndObject)
        {
            name = null;
            return false;
        }

        name = Text(LongestName);
        Advance();
        return true;
    }

    /// <summary>The string, or the name, that the reader stands on.</summary>
    /// <param name="most">The largest length, in characters.</param>
    /// <returns>Null when it is not a string, is longer, or has an escape that is not a character.</returns>
    public readonly string? Text(int most)
    {
        // One character takes at most six bytes: \u0041.
        if (_reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName)
            || _reader.ValueSpan.Length > 6 * most)
        {
            return null;
        }

        try
        {
            return _reader.GetString() is { } text && text.Length <= most ? text : null;
        }
        catch (InvalidOperationException)
        {
            // Half of a surrogate pair, which the reader reports only by this exception.
            return null;
        }
    }

    /// <summary>The whole number that the reader stands on.</summary>
    /// <returns>Null when it is not a number, is negative, has a fraction or an exponent, or is too large.</returns>
    public readonly ulong? Unsigned() =>
        _reader.TokenType == JsonTokenType.Number && _reader.TryGetUInt64(out var number) ? number : null;

    /// <summary>The number that the reader stands on, rounded to float32; infinite where it is too large.</summary>
    /// <returns>Null when it is not a number.</returns>
    public readonly float? Single() =>
        _reader.TokenType == JsonTokenType.Number && _reader.TryGetDouble(out var number) ? (float)number : null;

    /// <summary>The boolean that the reader stands on, or null.</summary>
    public readonly bool? Boolean() => _reader.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        _ => null,
    };

    /// <summary>The number that the reader stands on, as it is written.</summary>
    /// <returns>Null when it is not a number, or is absurdly long.</returns>
    public readonly string? NumberText() =>
        _reader.TokenType == JsonTokenType.Number && _reader.ValueSpan.Length <= LongestName
            ? Encoding.ASCII.GetString(_reader.ValueSpan)
            : null;
}
