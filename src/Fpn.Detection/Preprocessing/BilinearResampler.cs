using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;

namespace Fpn.Detection.Preprocessing;

/// <summary>torchvision's filter: two taps an axis on floats, normalized on the way into the tensor.</summary>
/// <remarks>
/// A source row is resized horizontally, normalized and split into planes once; the two rows that an output row
/// lies between are kept. Fused multiply-add is used nowhere, so that the vector path, the scalar path and every
/// CPU give the same bits.
/// </remarks>
internal static unsafe class BilinearResampler
{
    /// <summary>
    /// Resizes, normalizes and pads one image; <see cref="PixelNormalizer"/> has checked sizes.
    /// </summary>
    /// <remarks><paramref name="target"/> is [3, padded height, padded width] float32 or float16, as
    /// <paramref name="type"/> says; the rows below the image are not written.</remarks>
    internal static void Resample(
        in PixelRegion source,
        ImageSize resized,
        ImageSize padded,
        ReadOnlySpan<PlaneNormalization> planes,
        byte* target,
        PixelType type,
        bool vectorized)
    {
        // Rows are as long as the tensor's, zero behind the image, so that the vertical pass writes the padding too.
        var stride = Scratch.RoundUp(padded.Width);
        var columns = Scratch.RoundUp(resized.Width);
        var roundingLength = PlaneRows.ScratchLength(type, padded);
        using var scratch = new Scratch(sizeof(float) * (6L * stride + 4L * columns + roundingLength));
        var values = (float*)scratch.Pointer;
        var rows = new RowPair(values, values + 3 * stride);
        new Span<float>(values, checked(6 * stride)).Clear();
        var taps = new ColumnTaps(
            values + 6L * stride, columns, source.Size.Width, resized.Width, source.IsMirrored);
        var output = new PlaneRows(target, type, padded, values + 6L * stride + 4L * columns);
        var ratio = BilinearAxis.Ratio(source.Size.Height, resized.Height);
        var gather = vectorized && Avx2.IsSupported;

        fixed (byte* image = source.Pixels)
        fixed (PlaneNormalization* plane = planes)
        {
            for (var y = 0; y < resized.Height; y++)
            {
                var weight = BilinearAxis.Locate(y, ratio, source.Size.Height, out var lower, out var upper);
                rows.Advance(lower, upper, out var missingLower, out var missingUpper);
                if (missingLower is not null)
                {
                    ResizeRow(image, lower, source, taps, resized.Width, plane, missingLower, stride, gather);
                }

                if (missingUpper is not null)
                {
                    ResizeRow(image, upper, source, taps, resized.Width, plane, missingUpper, stride, gather);
                }

                for (var p = 0; p < 3; p++)
                {
                    var row = output.Begin(p, y);
                    Blend(rows.Lower + p * stride, rows.Upper + p * stride, weight, row, padded.Width, vectorized);
                    output.Complete(p, y, vectorized);
                }
            }
        }
    }

    private static void ResizeRow(
        byte* image,
        int y,
        in PixelRegion source,
        in ColumnTaps taps,
        int width,
        PlaneNormalization* planes,
        float* row,
        int stride,
        bool gather)
    {
        var start = image + (long)y * source.Stride;
        // A gather reads four bytes a pixel: the last pixel of the image has only three.
        if (gather && y < source.Size.Height - 1)
        {
            GatherRow(start, taps, width, planes, row, stride);
        }
        else
        {
            ScalarRow(start, taps, width, planes, row, stride);
        }
    }

    /// <summary>Eight columns at a time, all three channels from one gather of four bytes a tap;
    /// the columns behind the image are computed and zeroed again. Scalar twin: <see cref="ScalarRow"/>.</summary>
    private static void GatherRow(
        byte* start, in ColumnTaps taps, int width, PlaneNormalization* planes, float* row, int stride)
    {
        var mask = Vector256.Create(0xFF);
        var shift0 = Vector128.CreateScalar(8 * planes[0].Channel);
        var shift2 = Vector128.CreateScalar(8 * planes[2].Channel);
        Vector256<float> scale0 = Vector256.Create(planes[0].Multiplier), offset0 = Vector256.Create(planes[0].Offset);
        Vector256<float> scale1 = Vector256.Create(planes[1].Multiplier), offset1 = Vector256.Create(planes[1].Offset);
        Vector256<float> scale2 = Vector256.Create(planes[2].Multiplier), offset2 = Vector256.Create(planes[2].Offset);
        float* row1 = row + stride, row2 = row1 + stride;
        for (var x = 0; x < width; x += Vector256<float>.Count)
        {
            var lower = Avx2.GatherVector256((int*)start, Vector256.Load(taps.Lower + x), 1);
            var upper = Avx2.GatherVector256((int*)start, Vector256.Load(taps.Upper + x), 1);
            var upperWeight = Vector256.Load(taps.UpperWeight + x);
            var lowerWeight = Vector256.Load(taps.LowerWeight + x);

            var a = Vector256.ConvertToSingle(Avx2.ShiftRightLogical(lower, shift0) & mask) * lowerWeight;
            var b = Vector256.ConvertToSingle(Avx2.ShiftRightLogical(upper, shift0) & mask) * upperWeight;
            ((a + b) * scale0 + offset0).Store(row + x);

            // Green is the middle plane in either order.
            a = Vector256.ConvertToSingle((lower >>> 8) & mask) * lowerWeight;
            b = Vector256.ConvertToSingle((upper >>> 8) & mask) * upperWeight;
            ((a + b) * scale1 + offset1).Store(row1 + x);

            a = Vector256.ConvertToSingle(Avx2.ShiftRightLogical(lower, shift2) & mask) * lowerWeight;
            b = Vector256.ConvertToSingle(Avx2.ShiftRightLogical(upper, shift2) & mask) * upperWeight;
            ((a + b) * scale2 + offset2).Store(row2 + x);
        }

        var behind = Scratch.RoundUp(width) - width;
        new Span<float>(row + width, behind).Clear();
        new Span<float>(row1 + width, behind).Clear();
        new Span<float>(row2 + width, behind).Clear();
    }

    private static void ScalarRow(
        byte* start, in ColumnTaps taps, int width, PlaneNormalization* planes, float* row, int stride)
    {
        for (var p = 0; p < 3; p++)
        {
            var (channel, multiplier, offset) = planes[p];
            var channelStart = start + channel;
            var target = row + p * stride;
            for (var x = 0; x < width; x++)
            {
                var a = channelStart[taps.Lower[x]] * taps.LowerWeight[x];
                var b = channelStart[taps.Upper[x]] * taps.UpperWeight[x];
                target[x] = (a + b) * multiplier + offset;
            }
        }
    }

    /// <summary>One output row of one plane. Lanes: <see cref="Vector{T}"/>; the remainder is scalar.</summary>
    private static void Blend(float* lower, float* upper, float weight, float* target, int width, bool vectorized)
    {
        if (weight == 0)
        {
            new ReadOnlySpan<float>(lower, width).CopyTo(new Span<float>(target, width));
            return;
        }

        var x = 0;
        if (vectorized)
        {
            var upperWeight = new Vector<float>(weight);
            var lowerWeight = new Vector<float>(1 - weight);
            for (; x <= width - Vector<float>.Count; x += Vector<float>.Count)
            {
                var blended = Vector.Load(lower + x) * lowerWeight + Vector.Load(upper + x) * upperWeight;
                blended.Store(target + x);
            }
        }

        for (; x < width; x++)
        {
            target[x] = lower[x] * (1 - weight) + upper[x] * weight;
        }
    }

    /// <summary>Byte offsets in a source row and weights, for every column of the resized image.</summary>
    private readonly struct ColumnTaps
    {
        internal readonly int* Lower;
        internal readonly int* Upper;
        internal readonly float* LowerWeight;
        internal readonly float* UpperWeight;

        /// <summary>Fills 4 × <paramref name="columns"/> values; the columns behind the image repeat offset
        /// 0.</summary>
        internal ColumnTaps(float* memory, int columns, int sourceWidth, int width, bool isMirrored)
        {
            Lower = (int*)memory;
            Upper = Lower + columns;
            LowerWeight = memory + 2 * columns;
            UpperWeight = LowerWeight + columns;
            var ratio = BilinearAxis.Ratio(sourceWidth, width);
            for (var x = 0; x < columns; x++)
            {
                if (x >= width)
                {
                    Lower[x] = Upper[x] = 0;
                    LowerWeight[x] = UpperWeight[x] = 0;
                    continue;
                }

                var weight = BilinearAxis.Locate(
                    isMirrored ? width - 1 - x : x, ratio, sourceWidth, out var lower, out var upper);
                Lower[x] = lower * 3;
                Upper[x] = upper * 3;
                UpperWeight[x] = weight;
                LowerWeight[x] = 1 - weight;
            }
        }
    }

    /// <summary>Two resized rows in three planes each, and which source rows they hold.</summary>
    private struct RowPair(float* first, float* second)
    {
        private int _lowerIndex = -1;
        private int _upperIndex = -1;

        internal float* Lower { get; private set; } = first;

        internal float* Upper { get; private set; } = second;

        /// <summary>Moves on to two source rows and reuses those already there; the caller fills a pointer that is not
        /// null.</summary>
        internal void Advance(int lower, int upper, out float* missingLower, out float* missingUpper)
        {
            if (lower == _upperIndex)
            {
                var row = Lower;
                Lower = Upper;
                Upper = row;
                (_lowerIndex, _upperIndex) = (_upperIndex, _lowerIndex);
            }

            missingLower = lower == _lowerIndex ? null : Lower;
            missingUpper = upper == _upperIndex ? null : Upper;
            _lowerIndex = lower;
            _upperIndex = upper;
        }
    }
}
