using System.Buffers.Binary;

namespace Fpn.Service.OpenInference.Outputs;

/// <summary>Writes numbers in the binary form: one after the other, little-endian.</summary>
/// <param name="destination">Takes them; the rest is kept for those that follow.</param>
internal ref struct NumberBytes(Span<byte> destination) : INumberSink
{
    private Span<byte> _rest = destination;

    /// <inheritdoc/>
    public void Add(float number)
    {
        BinaryPrimitives.WriteSingleLittleEndian(_rest, number);
        _rest = _rest[sizeof(float)..];
    }

    /// <inheritdoc/>
    public void Add(long number)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_rest, number);
        _rest = _rest[sizeof(long)..];
    }
}
