namespace Fpn.Service.Bodies;

/// <summary>A body that ends once more bytes than a limit have arrived.</summary>
/// <param name="body">The whole body.</param>
/// <param name="limit">The limit, in bytes.</param>
/// <remarks>
/// A body beyond the limit ends without an exception; <see cref="IsExceeded"/> distinguishes it from one that is
/// complete.
/// </remarks>
internal sealed class CountedBody(Stream body, long limit) : ForwardStream
{
    private long _count;

    /// <summary>Whether more bytes than the limit have arrived.</summary>
    public bool IsExceeded => _count > limit;

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
}
