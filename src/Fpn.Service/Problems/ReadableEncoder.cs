using System.Globalization;
using System.Text.Encodings.Web;

namespace Fpn.Service.Problems;

/// <summary>
/// Escapes in JSON the characters that JSON requires, those that a page could take for markup, and those that a
/// terminal could take for a command; letters of every script stay readable.
/// </summary>
/// <remarks>
/// The framework's default encoder also escapes apostrophes and every character outside ASCII; its relaxed one lets
/// markup through.
/// </remarks>
internal sealed unsafe class ReadableEncoder : JavaScriptEncoder
{
    private const int SurrogatesBegin = 0xD800;
    private const int SurrogatesEnd = 0xDFFF;

    /// <summary>The only instance.</summary>
    public static readonly ReadableEncoder Instance = new();

    private ReadableEncoder()
    {
    }

    /// <inheritdoc/>
    public override int MaxOutputCharactersPerInputCharacter => 6;

    /// <inheritdoc/>
    public override bool WillEncode(int unicodeScalar) => unicodeScalar switch
    {
        '"' or '\\' or '<' or '>' or '&' => true,

        // Control characters, line and paragraph separators, lone surrogates, and noncharacters.
        < 0x20 or (>= 0x7F and <= 0x9F) or 0x2028 or 0x2029 => true,
        (>= SurrogatesBegin and <= SurrogatesEnd) or 0xFEFF or 0xFFFE or 0xFFFF => true,

        // Marks that change the direction of text, by which one text can be made to look like another.
        0x061C or 0x200E or 0x200F or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069) => true,
        _ => false,
    };

    /// <inheritdoc/>
    public override int FindFirstCharacterToEncode(char* text, int textLength)
    {
        for (var at = 0; at < textLength; at++)
        {
            if (at + 1 < textLength && char.IsSurrogatePair(text[at], text[at + 1]))
            {
                at++;
            }
            else if (WillEncode(text[at]))
            {
                return at;
            }
        }

        return -1;
    }

    /// <inheritdoc/>
    public override bool TryEncodeUnicodeScalar(
        int unicodeScalar, char* buffer, int bufferLength, out int numberOfCharactersWritten)
    {
        // All encoded characters fit into 16 bits.
        Span<char> written = stackalloc char[6];
        var length = 2;
        written[0] = '\\';
        switch (unicodeScalar)
        {
            case '"' or '\\':
                written[1] = (char)unicodeScalar;
                break;
            case '\n':
                written[1] = 'n';
                break;
            case '\r':
                written[1] = 'r';
                break;
            case '\t':
                written[1] = 't';
                break;
            default:
                written[1] = 'u';
                unicodeScalar.TryFormat(written[2..], out _, "X4", CultureInfo.InvariantCulture);
                length = 6;
                break;
        }

        numberOfCharactersWritten = 0;
        if (!written[..length].TryCopyTo(new Span<char>(buffer, bufferLength)))
        {
            return false;
        }

        numberOfCharactersWritten = length;
        return true;
    }
}
