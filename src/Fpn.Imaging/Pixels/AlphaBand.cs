namespace Fpn.Imaging.Pixels;

/// <summary>Removes alpha.</summary>
internal static class AlphaBand
{
    /// <summary>Moves the first three of every four bytes together, in place.</summary>
    /// <param name="pixels">[N, 4] bytes; afterwards the first 3 N are [N, 3].</param>
    internal static void Drop(Span<byte> pixels)
    {
        for (int from = 0, to = 0; from < pixels.Length; from += 4, to += 3)
        {
            pixels[to] = pixels[from];
            pixels[to + 1] = pixels[from + 1];
            pixels[to + 2] = pixels[from + 2];
        }
    }
}
