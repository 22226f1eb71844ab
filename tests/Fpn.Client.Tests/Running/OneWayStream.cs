namespace Fpn.Client.Tests.Running;

/// <summary>Bytes that can be read once, in pieces, as from a network: no position, no length.</summary>
/// <param name="bytes">What it holds.</param>
/// <param name="beforeRead">Runs before each read, with the bytes that were read before.</param>
internal sealed class OneWayStream(byte[] bytes, Func<int, Task>? beforeRead = null) : Stream
{
    private const int Piece = 8 * 1024;

    /// <summary>Bytes read so far.</summary>
    public int Taken { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await (beforeRead?.Invoke(Taken) ?? Task.CompletedTask).WaitAsync(cancellationToken);
        var count = Math.Min(Math.Min(buffer.Length, Piece), bytes.Length - Taken);
        bytes.AsMemory(Taken, count).CopyTo(buffer);
        Taken += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
