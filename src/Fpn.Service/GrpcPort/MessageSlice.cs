using Fpn.Service.Bodies;

namespace Fpn.Service.GrpcPort;

/// <summary>The next bytes of a stream, as a stream that ends after them.</summary>
/// <param name="source">The whole.</param>
/// <param name="length">Bytes.</param>
/// <remarks>Ends early if the source does.</remarks>
internal sealed class MessageSlice(Stream source, long length) : ForwardStream
{
    private long _left = length;

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_left == 0)
        {
            return 0;
        }

        var read = await source.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellationToken);
        _left -= read;
        return read;
    }
}
