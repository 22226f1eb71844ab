using Fpn.Service.Problems;

namespace Fpn.Service.Bodies;

/// <summary>An encoded image as it was sent.</summary>
internal sealed class ImageBody : IDisposable
{
    private const int FirstGuess = 128 << 10;
    private const int LargestTrusted = 1 << 20;

    private readonly NativeBuffer _buffer;

    private readonly BodyMemory _memory;

    private ImageBody(NativeBuffer buffer, BodyMemory memory) => (_buffer, _memory) = (buffer, memory);

    /// <summary>Bytes received.</summary>
    public int Length { get; private set; }

    /// <summary>The encoded image.</summary>
    public ReadOnlyMemory<byte> Bytes => _buffer.Memory[..Length];

    /// <summary>The same bytes, for decoding in place.</summary>
    public Memory<byte> Writable => _buffer.Memory[..Length];

    /// <summary>Reads a stream to its end into one buffer.</summary>
    /// <param name="stream">The body, or one part of it.</param>
    /// <param name="expectedLength">The announced length, if any; only a hint.</param>
    /// <param name="limit">The largest body, in bytes.</param>
    /// <param name="tooLarge">Creates the problem of a body beyond the limit.</param>
    /// <param name="memory">The budget that the buffer counts against until the body is disposed.</param>
    /// <param name="cancellationToken">Ends the wait; the buffer is freed.</param>
    /// <returns>
    /// The body, which the caller disposes; or the problem that it is too large, or that no memory is left for it.
    /// </returns>
    public static async Task<Outcome<ImageBody>> ReadAsync(
        Stream stream,
        long? expectedLength,
        long limit,
        Func<long, Problem> tooLarge,
        BodyMemory memory,
        CancellationToken cancellationToken)
    {
        // One byte beyond the limit, so that a body over the limit is noticed without a further read.
        var largest = (int)Math.Min(limit + 1, Array.MaxLength);
        var expected = (int)Math.Clamp((expectedLength ?? FirstGuess) + 1, 1, largest);

        // An announced length is trusted only once a megabyte has arrived: announcing costs the sender nothing.
        var first = Math.Min(expected, LargestTrusted);
        if (!memory.TryTake(first))
        {
            return Problem.NoBodyMemory();
        }

        ImageBody body;
        try
        {
            body = new ImageBody(new NativeBuffer(first), memory);
        }
        catch
        {
            memory.Return(first);
            throw;
        }

        try
        {
            while (true)
            {
                if (body.Length == body._buffer.Capacity)
                {
                    var larger = (int)Math.Min(Math.Max(2L * body.Length, expected), largest);
                    var problem = body.Length == largest ? tooLarge(limit) : body.TryGrow(larger);
                    if (problem is not null)
                    {
                        body.Dispose();
                        return problem;
                    }
                }

                var read = await stream.ReadAsync(body._buffer.Memory[body.Length..], cancellationToken);
                if (read == 0)
                {
                    return body;
                }

                body.Length += read;
            }
        }
        catch
        {
            body.Dispose();
            throw;
        }
    }

    /// <summary>Frees the bytes; later calls do nothing.</summary>
    public void Dispose()
    {
        var taken = _buffer.Capacity;
        ((IDisposable)_buffer).Dispose();
        _memory.Return(taken);
    }

    private Problem? TryGrow(int capacity)
    {
        var more = capacity - _buffer.Capacity;
        if (!_memory.TryTake(more))
        {
            return Problem.NoBodyMemory();
        }

        try
        {
            _buffer.Grow(capacity);
            return null;
        }
        catch (OutOfMemoryException)
        {
            _memory.Return(more);
            return Problem.NoBodyMemory();
        }
    }
}
