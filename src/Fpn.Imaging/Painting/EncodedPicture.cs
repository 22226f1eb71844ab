using Fpn.Imaging.Pixels;

namespace Fpn.Imaging.Painting;

/// <summary>An encoded picture; counted in the memory of images until it is disposed.</summary>
internal sealed class EncodedPicture : IDisposable
{
    private byte[]? _file;

    /// <summary>Takes ownership of a file.</summary>
    public EncodedPicture(byte[] file)
    {
        _file = file;
        NativeImageMemory.Add(file.Length);
    }

    /// <summary>The file.</summary>
    /// <exception cref="ObjectDisposedException">The picture was disposed.</exception>
    public ReadOnlySpan<byte> Bytes => _file ?? throw new ObjectDisposedException(nameof(EncodedPicture));

    /// <summary>Releases the bytes; later calls do nothing.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _file, null) is { } file)
        {
            NativeImageMemory.Add(-file.Length);
        }
    }
}
