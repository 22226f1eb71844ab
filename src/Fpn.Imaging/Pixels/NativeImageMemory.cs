using Fpn.Imaging.Vips;

namespace Fpn.Imaging.Pixels;

/// <summary>Counts the memory that images hold in this process: native memory, and drawn pictures as encoded.</summary>
internal static class NativeImageMemory
{
    private static long s_heldBytes;

    /// <summary>Bytes of encoded bodies and decoded pictures that have not been disposed yet.</summary>
    internal static long HeldBytes => Interlocked.Read(ref s_heldBytes);

    /// <summary><see cref="HeldBytes"/> plus the bytes that libvips counts: pictures and strips that are being decoded;
    /// its worker threads give their last strips back a moment after a call returns. Allocations of the codecs
    /// themselves (a progressive JPEG's coefficients) are not counted.</summary>
    internal static long TrackedBytes => HeldBytes + VipsLibrary.TrackedBytes();

    /// <summary>Counts bytes in, or out when negative.</summary>
    internal static void Add(long bytes) => Interlocked.Add(ref s_heldBytes, bytes);
}
