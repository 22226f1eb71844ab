namespace Fpn.Service.Bodies;

/// <summary>A body that ends when more than a limit has come.</summary>
/// <param name="body">What is read.</param>
/// <param name="limit">The most bytes.</param>
/// <remarks>Forward and asynchronous only. Whoever reads sees the end of the body, not an exception:
/// <see cref="IsExceeded"/> tells them apart.</remarks>
internal sealed class CountedBody(Stream body, long limit) : Stream
{
    private long _count;

    /// <summary>Whether there was more than the limit.</summary>
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
