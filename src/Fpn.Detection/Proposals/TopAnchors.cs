using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Fpn.Detection.Suppression;
using Fpn.Detection.Tensors;

namespace Fpn.Detection.Proposals;

/// <summary>Finds the anchors of one level with the highest objectness.</summary>
/// <remarks>
/// The planes are scanned a vector at a time for values that can still be among the best; these are collected, and
/// whenever the collection is full its best are selected and the bar rises. Each selection drops three quarters of a
/// full collection, so ascending or equal data stay linear too. The first bar comes from a sample; in the rare case
/// that too few values reach it, all is scanned once more without it. Not thread-safe.
/// </remarks>
internal sealed class TopAnchors
{
    private const int Lanes = 8;
    private const int Stride = 4 * Lanes;
    private const int SampleSize = 1024;

    private readonly RankSelector _selector = new();
    private readonly ulong[] _sample = new ulong[SampleSize];
    private ulong[] _keys = [];
    private int _count;
    private ulong _worst;
    private float _bar;

    /// <summary>Selects the best anchors.</summary>
    /// <param name="objectness">[A, cells] finite logits, one plane for each anchor of a cell.</param>
    /// <param name="anchorsPerCell">A, at least 1.</param>
    /// <param name="topN">The most to select, at least 1.</param>
    /// <returns>Rank keys, best first: logit and position cell · A + a; equal logits by position. Valid until the next
    /// call.</returns>
    public ReadOnlySpan<ulong> Select(ReadOnlySpan<float> objectness, int anchorsPerCell, int topN)
    {
        topN = Math.Min(topN, objectness.Length);
        var capacity = (int)Math.Min(4L * topN, objectness.Length) + Stride;
        WorkArray.Grow(ref _keys, capacity);
        Scan(objectness, anchorsPerCell, topN, capacity, FirstBar(objectness, topN));
        if (_count < topN)
        {
            Scan(objectness, anchorsPerCell, topN, capacity, float.NegativeInfinity);
        }

        if (_count > topN)
        {
            Compact(topN);
        }

        var best = _keys.AsSpan(0, _count);
        best.Sort();
        return best;
    }

    /// <summary>Estimates a logit that at least <paramref name="topN"/> anchors reach, but not many more.</summary>
    private float FirstBar(ReadOnlySpan<float> objectness, int topN)
    {
        if (objectness.Length < 16L * topN || objectness.Length < 4 * SampleSize)
        {
            return float.NegativeInfinity;
        }

        // Twice the wanted share, plus a margin for chance.
        var rank = (int)(2L * SampleSize * topN / objectness.Length) + 8;
        var step = objectness.Length / SampleSize;
        for (var i = 0; i < SampleSize; i++)
        {
            _sample[i] = RankKey.Create(objectness[i * step], i);
        }

        return RankKey.Score(_selector.MoveSmallestToFront(_sample, rank));
    }

    private void Scan(ReadOnlySpan<float> objectness, int anchorsPerCell, int topN, int capacity, float bar)
    {
        var cells = objectness.Length / anchorsPerCell;
        _count = 0;
        _worst = ulong.MaxValue;
        _bar = bar;
        for (var anchor = 0; anchor < anchorsPerCell; anchor++)
        {
            var plane = objectness.Slice(anchor * cells, cells);
            var scanned = Vector128.IsHardwareAccelerated
                ? ScanVector(plane, anchor, anchorsPerCell, topN, capacity)
                : 0;
            ScanScalar(plane, scanned, anchor, anchorsPerCell, topN, capacity);
        }
    }

    /// <summary>Four vectors of eight lanes a turn; the remainder is left to <see cref="ScanScalar"/>, which is also
    /// the twin.</summary>
    /// <returns>How much of the plane was scanned.</returns>
    private int ScanVector(ReadOnlySpan<float> plane, int anchor, int anchorsPerCell, int topN, int capacity)
    {
        ref var start = ref MemoryMarshal.GetReference(plane);
        var end = plane.Length - plane.Length % Stride;
        var bar = Vector256.Create(_bar);
        for (var i = 0; i < end; i += Stride)
        {
            // Values equal to the bar may still win by a lower position: planes are scanned one after the other.
            var at = (nuint)i;
            var above0 =
                Vector256.GreaterThanOrEqual(Vector256.LoadUnsafe(ref start, at), bar);
            var above1 =
                Vector256.GreaterThanOrEqual(Vector256.LoadUnsafe(ref start, at + Lanes), bar);
            var above2 =
                Vector256.GreaterThanOrEqual(Vector256.LoadUnsafe(ref start, at + 2 * Lanes), bar);
            var above3 =
                Vector256.GreaterThanOrEqual(Vector256.LoadUnsafe(ref start, at + 3 * Lanes), bar);
            if (((above0 | above1) | (above2 | above3)).AsInt32() == Vector256<int>.Zero)
            {
                continue;
            }

            var above = above0.ExtractMostSignificantBits()
                | above1.ExtractMostSignificantBits() << Lanes
                | above2.ExtractMostSignificantBits() << 2 * Lanes
                | above3.ExtractMostSignificantBits() << 3 * Lanes;
            for (; above != 0; above &= above - 1)
            {
                var cell = i + BitOperations.TrailingZeroCount(above);
                Collect(plane[cell], cell * anchorsPerCell + anchor);
            }

            if (_count > capacity - Stride)
            {
                Compact(topN);
                bar = Vector256.Create(_bar);
            }
        }

        return end;
    }

    private void ScanScalar(ReadOnlySpan<float> plane, int from, int anchor, int anchorsPerCell, int topN, int capacity)
    {
        for (var cell = from; cell < plane.Length; cell++)
        {
            if (plane[cell] >= _bar)
            {
                Collect(plane[cell], cell * anchorsPerCell + anchor);
                if (_count > capacity - Stride)
                {
                    Compact(topN);
                }
            }
        }
    }

    private void Collect(float logit, int position)
    {
        var key = RankKey.Create(logit, position);
        _keys[_count] = key;
        _count += key < _worst ? 1 : 0;
    }

    private void Compact(int topN)
    {
        _worst = _selector.MoveSmallestToFront(_keys.AsSpan(0, _count), topN);
        _bar = RankKey.Score(_worst);
        _count = topN;
    }
}
