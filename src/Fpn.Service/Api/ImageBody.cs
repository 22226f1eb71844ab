using System.Buffers;

namespace Fpn.Service.Api;

/// <summary>An encoded image as it came.</summary>
/// <remarks>The first buffer is pooled and holds a megabyte at most. What outgrows it gets an array of its own: the pool
/// would keep one of each size for every thread, hundreds of megabytes after a few bodies that were refused for their length.</remarks>
internal sealed class ImageBody : IDisposable
{
    private const int FirstGuess = 128 << 10;
    private const int LargestPooled = 1 << 20;

    private readonly bool _isPooled;
    private byte[]? _buffer;

    private ImageBody(byte[] buffer, int length, bool isPooled)
    {
        _buffer = buffer;
        _isPooled = isPooled;
        Length = length;
    }

    /// <summary>Bytes received.</summary>
    public int Length { get; }

    /// <summary>The encoded image.</summary>
    public ReadOnlyMemory<byte> Bytes => (_buffer ?? throw new ObjectDisposedException(nameof(ImageBody))).AsMemory(0, Length);

    /// <summary>Reads a stream to its end into one buffer.</summary>
    /// <param name="stream">The body, or one part of it.</param>
    /// <param name="expectedLength">The length that was announced, if any; only a hint.</param>
    /// <param name="limit">The most bytes to take.</param>
    /// <param name="cancellationToken">Ends the wait; the buffer goes back.</param>
    /// <returns>The body, which the caller disposes, or null when there was more than <paramref name="limit"/>.</returns>
    public static async Task<ImageBody?> ReadAsync(Stream stream, long? expectedLength, long limit, CancellationToken cancellationToken)
    {
        // One byte more than the limit, so that a body over it is noticed without a further read.
        var largest = (int)Math.Min(limit + 1, Array.MaxLength);
        var expected = (int)Math.Clamp((expectedLength ?? FirstGuess) + 1, 1, largest);

        // An announced length is believed only after a megabyte has come: it costs the sender nothing.
        var buffer = ArrayPool<byte>.Shared.Rent(Math.Min(expected, LargestPooled));
        var isPooled = true;
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
                        Return(buffer, isPooled);
                        return null;
                    }

                    var larger = GC.AllocateUninitializedArray<byte>((int)Math.Min(Math.Max(2L * buffer.Length, expected), largest));
                    buffer.AsSpan(0, length).CopyTo(larger);
                    Return(buffer, isPooled);
                    (buffer, isPooled) = (larger, false);
                    continue;
                }

                var read = await stream.ReadAsync(buffer.AsMemory(length, room), cancellationToken);
                if (read == 0)
                {
                    return new ImageBody(buffer, length, isPooled);
                }

                length += read;
            }
        }
        catch
        {
            Return(buffer, isPooled);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is { } buffer)
        {
            Return(buffer, _isPooled);
        }
    }

    private static void Return(byte[] buffer, bool isPooled)
    {
        if (isPooled)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
