using System.Buffers;
using System.Net;

namespace Fpn.Client;

/// <summary>An image that is sent as it is read, from where the stream stands to its end.</summary>
internal sealed class StreamImageContent : HttpContent
{
    private const int BufferSize = 64 * 1024;

    private readonly Stream _stream;
    private readonly bool _leaveOpen;
    private readonly long? _start;
    private bool _wasRead;
    private bool _failed;

    /// <summary>Takes a stream.</summary>
    /// <param name="stream">Read from its present position.</param>
    /// <param name="leaveOpen">Whether the stream outlives this content.</param>
    public StreamImageContent(Stream stream, bool leaveOpen)
    {
        _stream = stream;
        _leaveOpen = leaveOpen;
        _start = stream.CanSeek ? stream.Position : null;
    }

    /// <summary>Whether the whole image can be sent, for the first time or again: not once the stream itself has
    /// failed, nor once one that cannot seek has been read.</summary>
    public bool CanBeSent => !_failed && (_start is not null || !_wasRead);

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    /// <inheritdoc/>
    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (!CanBeSent)
        {
            throw new InvalidOperationException("The stream cannot be read a second time.");
        }

        _wasRead = true;
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            if (_start is { } start)
            {
                _stream.Position = start;
            }

            while (await ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var read)
            {
                await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <inheritdoc/>
    protected override bool TryComputeLength(out long length)
    {
        length = _start is { } start ? _stream.Length - start : 0;
        return _start is not null;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && !_leaveOpen)
        {
            _stream.Dispose();
        }

        base.Dispose(disposing);
    }

    private async ValueTask<int> ReadAsync(byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await _stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            // Not the connection's fault: no retry mends it.
            _failed = true;
            throw;
        }
    }
}
