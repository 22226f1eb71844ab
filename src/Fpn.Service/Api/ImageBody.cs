using System.Buffers;

namespace Fpn.Service.Api;

/// <summary>An encoded image as it came, in a pooled buffer.</summary>
internal sealed class ImageBody : IDisposable
{
    private byte[]? _buffer;

    private ImageBody(byte[] buffer, int length)
    {
        _buffer = buffer;
        Length = length;
    }

    /// <summary>Bytes received.</summary>
    public int Length { get; }

    /// <summary>The encoded image.</summary>
    public ReadOnlyMemory<byte> Bytes => (_buffer ?? throw new ObjectDisposedException(nameof(ImageBody))).AsMemory(0, Length);

    /// <summary>Reads a stream to its end into one pooled buffer.</summary>
    /// <param name="stream">The body, or one part of it.</param>
    /// <param name="expectedLength">The length that was announced, if any; only a hint.</param>
    /// <param name="limit">The most bytes to take.</param>
    /// <param name="cancellationToken">Ends the wait; the buffer goes back.</param>
    /// <returns>The body, which the caller disposes, or null when there was more than <paramref name="limit"/>.</returns>
    public static async Task<ImageBody?> ReadAsync(Stream stream, long? expectedLength, long limit, CancellationToken cancellationToken)
    {
        const int FirstGuess = 128 << 10;

        // One byte more than the limit, so that a body over it is noticed without a further read.
        var largest = (int)Math.Min(limit + 1, Array.MaxLength);

        // An announced length is believed up to a megabyte only: it costs the sender nothing.
        var first = (int)Math.Clamp((expectedLength ?? FirstGuess) + 1, 1, Math.Min(largest, 1 << 20));
        var buffer = ArrayPool<byte>.Shared.Rent(first);
        var length = 0;
        try
        {
            while (true)
            {
                var room = Math.Min(buffer.Length, largest) - length;
                if (room == 0)
                {
                    if (length == largest)
                    {
                        ArrayPool<byte>.Shared.Return(buffer);
                        return null;
                    }

                    var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(2L * buffer.Length, largest));
                    buffer.AsSpan(0, length).CopyTo(larger);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                    continue;
                }

                var read = await stream.ReadAsync(buffer.AsMemory(length, room), cancellationToken);
                if (read == 0)
                {
                    return new ImageBody(buffer, length);
                }

                length += read;
            }
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
