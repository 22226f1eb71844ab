using System.Buffers;

namespace Fpn.Imaging.Decoding;

/// <summary>The bytes of a file at a fixed place.</summary>
/// <param name="file">The first byte.</param>
/// <param name="length">The length in bytes.</param>
/// <param name="pin">Keeps the bytes in place; default where the caller does.</param>
internal unsafe struct EncodedFile(byte* file, int length, MemoryHandle pin) : IDisposable
{
    private MemoryHandle _pin = pin;

    /// <summary>The first byte.</summary>
    public readonly byte* Start => file;

    /// <summary>The length in bytes.</summary>
    public readonly int Length => length;

    /// <summary>The whole file.</summary>
    public readonly ReadOnlySpan<byte> Bytes => new(file, length);

    /// <summary>Lets the bytes move again; later calls do nothing.</summary>
    public void Dispose() => _pin.Dispose();
}
