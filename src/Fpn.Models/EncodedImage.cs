using System.Buffers;

namespace Fpn.Models;

/// <summary>The bytes of an image file that were read from a stream, in a pooled array.</summary>
/// <remarks>A stream is read to its end, but no further than one byte beyond the limit.</remarks>
internal sealed class EncodedImage : IDisposable
{
    private const int FirstLength = 64 << 10;

    private byte[] _buffer;
    private int _length;

    private EncodedImage(Stream stream, long maxBytes)
    {
        var expected = stream.CanSeek ? stream.Length - stream.Position : 0;
        RequireAtMost(maxBytes, expected);

        // One more than expected: the read that finds the end needs room, too.
        _buffer = ArrayPool<byte>.Shared.Rent((int)Math.Max(expected + 1, Math.Min(FirstLength, maxBytes + 1)));
    }

    /// <summary>The bytes; valid until <see cref="Dispose"/>.</summary>
    public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, _length);

    /// <summary>Refuses files that are too large.</summary>
    /// <param name="maxBytes">The limit.</param>
    /// <param name="bytes">Bytes of the file, as far as they are known.</param>
    /// <exception cref="ImageRejectedException">They are more than the limit.</exception>
    public static void RequireAtMost(long maxBytes, long bytes)
    {
        if (bytes > maxBytes)
        {
            throw new ImageRejectedException(
                ImageRejection.TooManyBytes, $"The image has more than {maxBytes} bytes, which is the most allowed.");
        }
    }

    /// <summary>Reads a stream from its position to its end; leaves it open.</summary>
    /// <returns>The bytes; the caller disposes them.</returns>
    /// <exception cref="ImageRejectedException">There are more bytes than allowed.</exception>
    public static EncodedImage Read(Stream stream, long maxBytes, CancellationToken cancellationToken)
    {
        var image = new EncodedImage(stream, maxBytes);
        try
        {
            do
            {
                cancellationToken.ThrowIfCancellationRequested();
            }
            while (image.Add(stream.Read(image.Room), maxBytes));

            return image;
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    /// <inheritdoc cref="Read"/>
    public static async Task<EncodedImage> ReadAsync(
        Stream stream, long maxBytes, CancellationToken cancellationToken)
    {
        var image = new EncodedImage(stream, maxBytes);
        try
        {
            int read;
            do
            {
                read = await stream.ReadAsync(image.RoomMemory, cancellationToken).ConfigureAwait(false);
            }
            while (image.Add(read, maxBytes));

            return image;
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }

    private Memory<byte> RoomMemory => _buffer.AsMemory(_length);

    private Span<byte> Room => RoomMemory.Span;

    /// <summary>Gives the array back.</summary>
    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer);

    /// <returns>Whether there may be more.</returns>
    private bool Add(int read, long maxBytes)
    {
        _length += read;
        RequireAtMost(maxBytes, _length);
        if (read > 0 && _length == _buffer.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(2L * _length, maxBytes + 1));
            _buffer.AsSpan().CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = larger;
        }

        return read > 0;
    }
}
