namespace Fpn.Service.Imaging;

/// <summary>How much native memory image decoding holds in this process.</summary>
internal static class NativeImageMemory
{
    private static long s_pixelBytes;

    /// <summary>Bytes of decoded pictures that were not disposed yet.</summary>
    internal static long PixelBytes => Interlocked.Read(ref s_pixelBytes);

    /// <summary><see cref="PixelBytes"/> plus what libvips counts as its own: pictures and strips in the middle of
    /// decoding; its worker threads give their last strips back a moment after a call returns. What the codecs
    /// allocate themselves (a progressive JPEG's coefficients) is not counted.</summary>
    internal static long TrackedBytes => PixelBytes + (long)Vips.TrackedMemory();

    /// <summary>Counts bytes in, or out when negative.</summary>
    internal static void Add(long bytes) => Interlocked.Add(ref s_pixelBytes, bytes);
}
