namespace Fpn.Service.Api;

/// <summary>An encoded image as it came.</summary>
internal sealed class ImageBody : IDisposable
{
    private const int FirstGuess = 128 << 10;
    private const int LargestTrusted = 1 << 20;

    private readonly NativeBuffer _buffer;

    private ImageBody(NativeBuffer buffer, int length)
    {
        _buffer = buffer;
        Length = length;
    }

    /// <summary>Bytes received.</summary>
    public int Length { get; }

    /// <summary>The encoded image.</summary>
    public ReadOnlyMemory<byte> Bytes => _buffer.Memory[..Length];

    /// <summary>The same bytes, for decoding them where they are.</summary>
    public Memory<byte> Writable => _buffer.Memory[..Length];

    /// <summary>Reads a stream to its end into one buffer.</summary>
    /// <param name="stream">The body, or one part of it.</param>
    /// <param name="expectedLength">The length that was announced, if any; only a hint.</param>
    /// <param name="limit">The most bytes to take.</param>
    /// <param name="cancellationToken">Ends the wait; the buffer is freed.</param>
    /// <returns>The body, which the caller disposes, or null when there was more than <paramref name="limit"/>.</returns>
    public static async Task<ImageBody?> ReadAsync(Stream stream, long? expectedLength, long limit, CancellationToken cancellationToken)
    {
        // One byte more than the limit, so that a body over it is noticed without a further read.
        var largest = (int)Math.Min(limit + 1, Array.MaxLength);
        var expected = (int)Math.Clamp((expectedLength ?? FirstGuess) + 1, 1, largest);

        // An announced length is believed only after a megabyte has come: it costs the sender nothing.
        var buffer = new NativeBuffer(Math.Min(expected, LargestTrusted));
        var length = 0;
        try
        {
            while (true)
            {
                if (length == buffer.Capacity)
                {
                    if (length == largest)
                    {
                        ((IDisposable)buffer).Dispose();
                        return null;
                    }

                    buffer.Grow((int)Math.Min(Math.Max(2L * length, expected), largest));
                }

                var read = await stream.ReadAsync(buffer.Memory[length..], cancellationToken);
                if (read == 0)
                {
                    return new ImageBody(buffer, length);
                }

                length += read;
            }
        }
        catch
        {
            ((IDisposable)buffer).Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => ((IDisposable)_buffer).Dispose();
}
