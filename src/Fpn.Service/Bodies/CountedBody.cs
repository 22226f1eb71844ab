namespace Fpn.Service.Bodies;

/// <summary>A body that ends once more bytes than a limit have arrived.</summary>
/// <param name="body">The whole body.</param>
/// <param name="limit">The limit, in bytes.</param>
/// <remarks>
/// Forward and asynchronous only. A body beyond the limit ends without an exception; <see cref="IsExceeded"/>
/// distinguishes it from one that is complete.
/// </remarks>
internal sealed class CountedBody(Stream body, long limit) : Stream
{
    private long _count;

    /// <summary>Whether more bytes than the limit have arrived.</summary>
    public bool IsExceeded => _count > limit;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (IsExceeded)
        {
            return 0;
        }

        var read = await body.ReadAsync(buffer, cancellationToken);
        _count += read;
        return IsExceeded ? 0 : read;
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Flush() => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
