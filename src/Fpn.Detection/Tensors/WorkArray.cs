namespace Fpn.Detection.Tensors;

/// <summary>Grows arrays that are kept between images.</summary>
internal static class WorkArray
{
    /// <summary>Makes an array at least <paramref name="length"/> long; growing loses its contents.</summary>
    public static void Grow<T>(ref T[] array, int length)
    {
        if (array.Length < length)
        {
            array = new T[NewLength(array.Length, length)];
        }
    }

    /// <summary>Makes an array at least <paramref name="length"/> long and keeps its contents.</summary>
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
