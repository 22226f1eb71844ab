namespace Fpn.Detection.Tensors;

/// <summary>Arrays that are kept between images and grow to the largest need seen.</summary>
internal static class WorkArray
{
    /// <summary>Makes an array at least so long; what it held is lost when it grows.</summary>
    public static void Grow<T>(ref T[] array, int length)
    {
        if (array.Length < length)
        {
            array = new T[NewLength(array.Length, length)];
        }
    }

    /// <summary>Makes an array at least so long and keeps what it holds.</summary>
    public static void Extend<T>(ref T[] array, int length)
    {
        if (array.Length < length)
        {
            Array.Resize(ref array, NewLength(array.Length, length));
        }
    }

    /// <summary>Doubles, so that slowly growing needs do not allocate every time.</summary>
    private static int NewLength(int current, int needed) =>
        (int)Math.Max(needed, Math.Min(2L * current, Array.MaxLength));
}
