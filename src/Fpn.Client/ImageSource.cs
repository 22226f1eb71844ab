
namespace Fpn.Client;

/// <summary>An image file as it is sent: bytes, a stream, or a path.</summary>
/// <remarks>The service detects the format from the bytes.</remarks>
public abstract class ImageSource
{
    private protected ImageSource()
    {
    }

    /// <summary>Sends bytes.</summary>
    /// <param name="bytes">The content of an image file; not copied, so it must not change during the call.</param>
    public static ImageSource FromBytes(ReadOnlyMemory<byte> bytes) => new Bytes(bytes);

    /// <summary>Sends a stream as it is read, without keeping it in memory.</summary>
    /// <param name="stream">Read from its present position to its end; not disposed. For one call at a
    /// time.</param>
    /// <remarks>A stream that can seek is rewound for a retry. One that cannot is sent once: only a request that is
    /// refused before the service begins to read the stream is retried.</remarks>
    public static ImageSource FromStream(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return stream.CanRead
            ? new Streamed(stream)
            : throw new ArgumentException("The stream cannot be read.", nameof(stream));
    }

    /// <summary>Sends a file, which is opened by each call and not kept in memory.</summary>
    /// <param name="path">Its path. The call throws an <see cref="IOException"/> when it cannot be opened.</param>
    public static ImageSource FromFile(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return new Stored(path);
    }

    /// <summary>As <see cref="FromBytes"/>.</summary>
    /// <param name="bytes">The content of an image file.</param>
    public static implicit operator ImageSource(byte[] bytes) => FromBytes(bytes);

    /// <summary>As <see cref="FromBytes"/>.</summary>
    /// <param name="bytes">The content of an image file.</param>
    public static implicit operator ImageSource(ReadOnlyMemory<byte> bytes) => FromBytes(bytes);

    /// <summary>As <see cref="FromStream"/>.</summary>
    /// <param name="stream">Read from its present position to its end.</param>
    public static implicit operator ImageSource(Stream stream) => FromStream(stream);

    /// <summary>Makes the body of one call.</summary>
    internal abstract HttpContent ToContent();

    private sealed class Bytes(ReadOnlyMemory<byte> bytes) : ImageSource
    {
        internal override HttpContent ToContent() => new ReadOnlyMemoryContent(bytes);
    }

    private sealed class Streamed(Stream stream) : ImageSource
    {
        internal override HttpContent ToContent() => new StreamImageContent(stream, leaveOpen: true);
    }

    private sealed class Stored(string path) : ImageSource
    {
        private static readonly FileStreamOptions Reading = new()
        {
            BufferSize = 0,
            Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
        };

        internal override HttpContent ToContent() =>
            new StreamImageContent(new FileStream(path, Reading), leaveOpen: false);
    }
}
