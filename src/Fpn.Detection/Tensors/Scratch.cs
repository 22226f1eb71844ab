using System.Runtime.InteropServices;

namespace Fpn.Detection.Tensors;

/// <summary>Working memory of one call, outside the managed heap and aligned for vectors; not cleared.</summary>
/// <remarks>Rows and tap tables of a usual image are some 50 KB, which malloc hands out from its free lists. Those of
/// an extreme one (a row of 40 million pixels) are returned to the system instead of being kept by a pool.</remarks>
internal readonly unsafe ref struct Scratch
{
    /// <summary>Rounds a row up to this many floats, so that vectors of any width need no remainder in scratch
    /// rows.</summary>
    internal const int LaneMultiple = 16;

    private const nuint Alignment = LaneMultiple * sizeof(float);

    /// <param name="bytes">How much; at least 1.</param>
    /// <exception cref="OutOfMemoryException">The system has no more memory.</exception>
    internal Scratch(long bytes) => Pointer = (byte*)NativeMemory.AlignedAlloc(checked((nuint)bytes), Alignment);

    internal byte* Pointer { get; }

    /// <summary>Frees the memory; once per instance.</summary>
    public void Dispose() => NativeMemory.AlignedFree(Pointer);

    /// <summary>Rounds up to the next multiple of <see cref="LaneMultiple"/>.</summary>
    internal static int RoundUp(int count) => checked(count + LaneMultiple - 1) / LaneMultiple * LaneMultiple;
}
