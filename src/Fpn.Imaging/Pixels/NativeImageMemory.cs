using Fpn.Imaging.Vips;

namespace Fpn.Imaging.Pixels;

/// <summary>How much memory images hold in this process: native but for drawn pictures, encoded.</summary>
internal static class NativeImageMemory
{
    private static long s_heldBytes;

    /// <summary>Bytes of encoded bodies and decoded pictures that were not disposed yet.</summary>
    internal static long HeldBytes => Interlocked.Read(ref s_heldBytes);

    /// <summary><see cref="HeldBytes"/> plus what libvips counts as its own: pictures and strips in the middle of
    /// decoding; its worker threads give their last strips back a moment after a call returns. What the codecs
    /// allocate themselves (a progressive JPEG's coefficients) is not counted.</summary>
    internal static long TrackedBytes => HeldBytes + VipsLibrary.TrackedBytes();

    /// <summary>Counts bytes in, or out when negative.</summary>
    internal static void Add(long bytes) => Interlocked.Add(ref s_heldBytes, bytes);
}
