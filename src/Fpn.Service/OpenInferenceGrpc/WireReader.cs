using System.Text;

namespace Fpn.Service.OpenInferenceGrpc;

/// <summary>Reads a message in the wire format of protocol buffers, where it stands.</summary>
/// <remarks>
/// The generated reader would copy every picture into an array of its own, and builds objects for whatever a client
/// sends; this one leaves both to its caller. Groups, which the third version of the language does not have, are
/// refused.
/// Source: the encoding guide of protocol buffers.
/// </remarks>
internal ref struct WireReader
{
    private const int LongestVarint = 10;

    private static readonly UTF8Encoding Strict =
        new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ReadOnlyMemory<byte> _message;
    private readonly ReadOnlySpan<byte> _bytes;
    private int _at;

    /// <summary>Starts at the first field.</summary>
    /// <param name="message">A whole message, or the content of a field that holds one.</param>
    public WireReader(ReadOnlyMemory<byte> message)
    {
        _message = message;
        _bytes = message.Span;
    }

    /// <summary>Number of the field that <see cref="Next"/> found.</summary>
    public int Field { get; private set; }

    /// <summary>How the value of that field is written.</summary>
    public WireType Type { get; private set; }

    /// <summary>Goes to the next field; its value must be read or skipped afterwards.</summary>
    /// <returns>False at the end.</returns>
    /// <exception cref="InvalidDataException">This is not a message.</exception>
    public bool Next()
    {
        if (_at == _bytes.Length)
        {
            return false;
        }

        var tag = Varint();
        Type = (WireType)(tag & 7);
        var field = tag >> 3;
        if (field is 0 or > (1 << 29) - 1)
        {
            throw Invalid($"field {field}");
        }

        Field = (int)field;
        return true;
    }

    /// <summary>Whether the value is a string, bytes, a message or packed numbers.</summary>
    public readonly bool HasContent => Type == WireType.Length;

    /// <summary>The content of the field, a part of the message.</summary>
    /// <exception cref="InvalidDataException">The field has none, or it is cut off.</exception>
    public ReadOnlyMemory<byte> Content()
    {
        Require(WireType.Length);
        var length = Varint();
        if (length > (ulong)(_bytes.Length - _at))
        {
            throw Invalid("a length that is more than there is");
        }

        var content = _message.Slice(_at, (int)length);
        _at += (int)length;
        return content;
    }

    /// <summary>The field as text.</summary>
    /// <param name="longest">Longer ones are null, in bytes.</param>
    /// <exception cref="InvalidDataException">It is not text.</exception>
    public string? Text(int longest)
    {
        var content = Content();
        try
        {
            return content.Length > longest ? null : Strict.GetString(content.Span);
        }
        catch (DecoderFallbackException)
        {
            throw Invalid("text that is not UTF-8");
        }
    }

    /// <summary>The field as a number.</summary>
    /// <exception cref="InvalidDataException">It is not a number of variable length.</exception>
    public ulong Number()
    {
        Require(WireType.Varint);
        return Varint();
    }

    /// <summary>The field as a number of eight bytes.</summary>
    /// <exception cref="InvalidDataException">It is not one.</exception>
    public double Double()
    {
        Require(WireType.EightBytes);
        return BitConverter.ToDouble(Take(sizeof(double)));
    }

    /// <summary>A number of packed ones, after <see cref="HasMore"/>.</summary>
    /// <exception cref="InvalidDataException">It is cut off.</exception>
    public ulong Packed() => Varint();

    /// <summary>Whether something is left.</summary>
    public readonly bool HasMore => _at < _bytes.Length;

    /// <summary>Passes over the value of the field.</summary>
    /// <exception cref="InvalidDataException">It is cut off, or of no known kind.</exception>
    public void Skip()
    {
        switch (Type)
        {
            case WireType.Varint:
                Varint();
                break;
            case WireType.EightBytes:
                Take(8);
                break;
            case WireType.Length:
                Content();
                break;
            case WireType.FourBytes:
                Take(4);
                break;
            default:
                throw Invalid($"wire type {(int)Type}");
        }
    }

    private static InvalidDataException Invalid(string found) => new($"it holds {found}");

    private readonly void Require(WireType type)
    {
        if (Type != type)
        {
            throw Invalid($"a value of another kind in field {Field}");
        }
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _bytes.Length - _at)
        {
            throw Invalid("a value that is cut off");
        }

        var taken = _bytes.Slice(_at, count);
        _at += count;
        return taken;
    }

    private ulong Varint()
    {
        var value = 0UL;
        for (var i = 0; i < LongestVarint; i++)
        {
            var part = Take(1)[0];
            value |= (ulong)(part & 0x7F) << (7 * i);
            if (part < 0x80)
            {
                return value;
            }
        }

        throw Invalid("a number that is too long");
    }
}

/// <summary>How a value is written.</summary>
internal enum WireType
{
    /// <summary>A number, seven bits a byte, the last first.</summary>
    Varint = 0,

    /// <summary>Eight bytes, little-endian.</summary>
    EightBytes = 1,

    /// <summary>A length and so many bytes.</summary>
    Length = 2,

    /// <summary>Four bytes, little-endian.</summary>
    FourBytes = 5,
}
