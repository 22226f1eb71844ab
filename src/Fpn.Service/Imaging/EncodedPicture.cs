namespace Fpn.Service.Imaging;

/// <summary>An encoded picture in native memory.</summary>
/// <param name="buffer">The bytes; owned.</param>
/// <remarks>Nothing may read <see cref="Bytes"/> during or after <see cref="Dispose"/>.</remarks>
internal sealed class EncodedPicture(PixelBuffer buffer) : IDisposable
{
    /// <summary>The file.</summary>
    /// <exception cref="ObjectDisposedException">The picture was disposed.</exception>
    public ReadOnlySpan<byte> Bytes => buffer.Bytes;

    /// <summary>Frees the bytes; later calls do nothing.</summary>
    public void Dispose() => buffer.Dispose();
}
