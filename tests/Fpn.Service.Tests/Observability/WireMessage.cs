using System.Buffers.Binary;
using System.Text;

namespace Fpn.Service.Tests.Observability;

/// <summary>A Protocol Buffers message, read by field numbers: enough to look into what a collector is sent.</summary>
internal sealed class WireMessage
{
    private readonly List<(int Number, byte[] Bytes)> _fields = [];

    /// <summary>Takes the message apart.</summary>
    public WireMessage(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var tag = ReadVarint(ref bytes);
            var length = (tag & 7) switch
            {
                0 => VarintLength(bytes),
                1 => 8,
                2 => (int)ReadVarint(ref bytes),
                5 => 4,
                var type => throw new InvalidDataException($"Wire type {type}."),
            };
            _fields.Add(((int)(tag >> 3), bytes[..length].ToArray()));
            bytes = bytes[length..];
        }
    }

    /// <summary>The messages in a field.</summary>
    public IEnumerable<WireMessage> Messages(int field) => All(field).Select(bytes => new WireMessage(bytes));

    /// <summary>The text in a field; empty when it is not there.</summary>
    public string Text(int field) => Encoding.UTF8.GetString(Bytes(field));

    /// <summary>The bytes in a field, as lower-case hexadecimal digits; empty when it is not there.</summary>
    public string Hex(int field) => Convert.ToHexStringLower(Bytes(field));

    /// <summary>A fixed 64-bit number; 0 when it is not there.</summary>
    public ulong Fixed64(int field) =>
        Bytes(field) is { Length: 8 } bytes ? BinaryPrimitives.ReadUInt64LittleEndian(bytes) : 0;

    /// <summary>A small number; 0 when it is not there.</summary>
    public int Number(int field) => Bytes(field) is { Length: 1 } bytes ? bytes[0] : 0;

    private byte[] Bytes(int field) => All(field).LastOrDefault() ?? [];

    private IEnumerable<byte[]> All(int field) =>
        _fields.Where(item => item.Number == field).Select(item => item.Bytes);

    private static ulong ReadVarint(ref ReadOnlySpan<byte> bytes)
    {
        var length = VarintLength(bytes);
        var value = 0UL;
        for (var i = length - 1; i >= 0; i--)
        {
            value = (value << 7) | (bytes[i] & 0x7Fu);
        }

        bytes = bytes[length..];
        return value;
    }

    private static int VarintLength(ReadOnlySpan<byte> bytes)
    {
        var length = 1;
        while ((bytes[length - 1] & 0x80) != 0)
        {
            length++;
        }

        return length;
    }
}
