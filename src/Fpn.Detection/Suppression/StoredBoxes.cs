using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;

namespace Fpn.Detection.Suppression;

/// <summary>Boxes in one array per coordinate, so that a candidate is compared with eight at a time.</summary>
/// <remarks>The arrays are cut into segments by the caller, one for each group. Not thread-safe.</remarks>
internal sealed class StoredBoxes
{
    private const int Lanes = 8;

    private float[] _x1 = [];
    private float[] _y1 = [];
    private float[] _x2 = [];
    private float[] _y2 = [];
    private float[] _areas = [];

    /// <summary>Makes room for <paramref name="capacity"/> boxes and forgets those stored before.</summary>
    public void Reserve(int capacity)
    {
        // A last vector may read beyond its segment, so the arrays end one vector later.
        var length = capacity + Lanes;
        WorkArray.Grow(ref _x1, length);
        WorkArray.Grow(ref _y1, length);
        WorkArray.Grow(ref _x2, length);
        WorkArray.Grow(ref _y2, length);
        WorkArray.Grow(ref _areas, length);
    }

    /// <summary>Stores a box.</summary>
    public void Set(int index, in Box box)
    {
        _x1[index] = box.X1;
        _y1[index] = box.Y1;
        _x2[index] = box.X2;
        _y2[index] = box.Y2;
        _areas[index] = box.Area;
    }

    /// <summary>Finds the first stored box that overlaps a candidate by more than a threshold.</summary>
    /// <typeparam name="TMeasure">What the intersection is divided by.</typeparam>
    /// <param name="candidate">Finite.</param>
    /// <param name="start">First index of the segment.</param>
    /// <param name="count">Boxes in it.</param>
    /// <param name="threshold">The overlap must be greater; equal, and the NaN of boxes without area, are not.</param>
    /// <returns>Its index, or −1.</returns>
    public int FirstOverlap<TMeasure>(in Box candidate, int start, int count, float threshold)
        where TMeasure : struct, IOverlapMeasure =>
        Vector128.IsHardwareAccelerated
            ? FirstOverlapVector<TMeasure>(candidate, start, count, threshold)
            : FirstOverlapScalar<TMeasure>(candidate, start, count, threshold);

    /// <inheritdoc cref="FirstOverlap"/>
    /// <remarks>Eight lanes, one stored box each; the last vector reads on and its surplus lanes are masked off.
    /// Multiplication and addition are not fused, as in torchvision's kernel. Twin:
    /// <see cref="FirstOverlapScalar"/>.</remarks>
    internal int FirstOverlapVector<TMeasure>(in Box candidate, int start, int count, float threshold)
        where TMeasure : struct, IOverlapMeasure
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)start + (ulong)(uint)count + Lanes, (uint)_areas.Length);
        ref var x1 = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_x1), start);
        ref var y1 = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_y1), start);
        ref var x2 = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_x2), start);
        ref var y2 = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_y2), start);
        ref var areas = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_areas), start);

        var left = Vector256.Create(candidate.X1);
        var top = Vector256.Create(candidate.Y1);
        var right = Vector256.Create(candidate.X2);
        var bottom = Vector256.Create(candidate.Y2);
        var area = Vector256.Create(candidate.Area);
        var limit = Vector256.Create(threshold);
        for (nuint i = 0; i < (nuint)count; i += Lanes)
        {
            var width = Vector256.MinNative(right, Vector256.LoadUnsafe(ref x2, i))
                - Vector256.MaxNative(left, Vector256.LoadUnsafe(ref x1, i));
            var height = Vector256.MinNative(bottom, Vector256.LoadUnsafe(ref y2, i))
                - Vector256.MaxNative(top, Vector256.LoadUnsafe(ref y1, i));
            var intersection = Vector256.MaxNative(width, Vector256<float>.Zero)
                * Vector256.MaxNative(height, Vector256<float>.Zero);
            var divisor = TMeasure.Divisor(area, Vector256.LoadUnsafe(ref areas, i), intersection);
            var over = Vector256.GreaterThan(intersection / divisor, limit).ExtractMostSignificantBits();
            if (over != 0)
            {
                // Surplus lanes come last: where the first that passes is one of them, no other passes.
                var found = (int)i + BitOperations.TrailingZeroCount(over);
                return found < count ? start + found : -1;
            }
        }

        return -1;
    }

    /// <inheritdoc cref="FirstOverlap"/>
    internal int FirstOverlapScalar<TMeasure>(in Box candidate, int start, int count, float threshold)
        where TMeasure : struct, IOverlapMeasure
    {
        var area = candidate.Area;
        for (var i = start; i < start + count; i++)
        {
            var width = MathF.Max(0, MathF.Min(candidate.X2, _x2[i]) - MathF.Max(candidate.X1, _x1[i]));
            var height = MathF.Max(0, MathF.Min(candidate.Y2, _y2[i]) - MathF.Max(candidate.Y1, _y1[i]));
            var intersection = width * height;
            if (intersection / TMeasure.Divisor(area, _areas[i], intersection) > threshold)
            {
                return i;
            }
        }

        return -1;
    }
}
