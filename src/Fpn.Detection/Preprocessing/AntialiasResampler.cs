using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;

namespace Fpn.Detection.Preprocessing;

/// <summary>Pillow's bilinear filter on bytes (what detectron2 resizes with), normalized on the way into the
/// tensor.</summary>
/// <remarks>
/// Horizontal pass first, rounded to bytes, then the vertical pass, rounded to bytes, as Pillow does; where a side
/// does not change, its taps are the single weight 1 and the pass changes nothing. Source rows are resized once and
/// kept in a ring as long as the vertical filter.
/// </remarks>
internal static unsafe class AntialiasResampler
{
    private const int Half = 1 << (AntialiasAxis.FractionBits - 1);

    /// <summary>
    /// Resizes, normalizes and pads one image; <see cref="PixelNormalizer"/> has checked sizes.
    /// </summary>
    /// <remarks><paramref name="target"/> has the shape that <paramref name="type"/> says, with the padded size; bytes
    /// are not normalized. The rows below the image are not written.</remarks>
    internal static void Resample(
        in PixelRegion region,
        ImageSize resized,
        ImageSize padded,
        ReadOnlySpan<PlaneNormalization> planes,
        byte* target,
        PixelType type,
        bool vectorized)
    {
        var source = region.Size;
        var columns = Scratch.RoundUp(resized.Width);
        var columnTaps = AntialiasAxis.TapCount(source.Width, resized.Width);
        var rowTaps = AntialiasAxis.TapCount(source.Height, resized.Height);
        var ringRows = Math.Min(rowTaps, source.Height);
        var tableLength = (long)columns * (1 + columnTaps) + Scratch.RoundUp(rowTaps);
        var roundingBytes = sizeof(float) * (long)PlaneRows.ScratchLength(type, padded);
        var ringBytes = 3L * columns * ringRows;
        using var scratch = new Scratch(
            tableLength * sizeof(int) + roundingBytes + (long)rowTaps * sizeof(byte*) + ringBytes + 3L * columns);
        var horizontal = new ColumnTaps(
            (int*)scratch.Pointer, columns, columnTaps, source.Width, resized.Width, region.IsMirrored);
        var weights = (int*)scratch.Pointer + (long)columns * (1 + columnTaps);
        var rounding = (float*)(weights + Scratch.RoundUp(rowTaps));
        var rows = (byte**)((byte*)rounding + roundingBytes);
        var ring = (byte*)(rows + rowTaps);
        var blended = ring + ringBytes;
        var output = new PlaneRows(target, type, padded, rounding);
        var gather = vectorized && Avx2.IsSupported;

        fixed (byte* image = region.Pixels)
        {
            var next = 0;
            for (var y = 0; y < resized.Height; y++)
            {
                var first = AntialiasAxis.FillTaps(y, source.Height, resized.Height, weights, 1, rowTaps);
                var taps = Math.Min(rowTaps, source.Height - first);
                // Weights behind the last tap are 0: rows that only they would read are not resized yet.
                while (taps > 1 && weights[taps - 1] == 0)
                {
                    taps--;
                }

                for (next = Math.Max(next, first); next < first + taps; next++)
                {
                    var row = ring + 3L * columns * (next % ringRows);
                    var start = image + (long)next * region.Stride;
                    // A gather reads four bytes a pixel: the last pixel of the image has only three.
                    if (gather && next < source.Height - 1)
                    {
                        GatherRow(start, horizontal, row, columns);
                    }
                    else
                    {
                        ScalarRow(start, horizontal, row, columns);
                    }
                }

                for (var t = 0; t < taps; t++)
                {
                    rows[t] = ring + 3L * columns * ((first + t) % ringRows);
                }

                for (var p = 0; p < 3; p++)
                {
                    if (type == PixelType.UInt8)
                    {
                        var row = new ByteRow(blended + p * columns);
                        BlendRows(rows, weights, taps, p * columns, row, resized.Width, vectorized);
                    }
                    else
                    {
                        var row = new NormalizedRow(output.Begin(p, y), planes[p]);
                        BlendRows(rows, weights, taps, planes[p].Channel * columns, row, resized.Width, vectorized);
                        new Span<float>(output.Begin(p, y) + resized.Width, padded.Width - resized.Width).Clear();
                        output.Complete(p, y, vectorized);
                    }
                }

                if (type == PixelType.UInt8)
                {
                    var row = target + 3L * y * padded.Width;
                    RgbRow.Interleave(blended, columns, row, resized.Width, vectorized);
                    new Span<byte>(row + 3L * resized.Width, 3 * (padded.Width - resized.Width)).Clear();
                }
            }
        }
    }

    /// <summary>Eight columns at a time, all three channels from one gather of four bytes a tap; scratch rows are
    /// a multiple of the lanes, so there is no remainder. Scalar twin: <see cref="ScalarRow"/>.</summary>
    private static void GatherRow(byte* start, in ColumnTaps horizontal, byte* row, int columns)
    {
        var mask = Vector256.Create(0xFF);
        var last = Vector256.Create(horizontal.LastOffset);
        var pixel = Vector256.Create(3);
        for (var x = 0; x < columns; x += Vector256<int>.Count)
        {
            var offsets = Vector256.Load(horizontal.Offsets + x);
            Vector256<int> red = Vector256.Create(Half), green = red, blue = red;
            var weights = horizontal.Weights + x;
            for (var t = 0; t < horizontal.Count; t++, weights += columns)
            {
                var weight = Vector256.Load(weights);
                var colors = Avx2.GatherVector256((int*)start, offsets, 1);
                red += (colors & mask) * weight;
                green += ((colors >>> 8) & mask) * weight;
                blue += ((colors >>> 16) & mask) * weight;
                // Taps behind the edge have weight 0, but must not read there.
                offsets = Vector256.Min(offsets + pixel, last);
            }

            StoreBytes(red, row + x);
            StoreBytes(green, row + columns + x);
            StoreBytes(blue, row + 2 * columns + x);
        }
    }

    private static void StoreBytes(Vector256<int> sums, byte* target)
    {
        var words = Vector256.Narrow((sums >> AntialiasAxis.FractionBits).AsUInt32(), Vector256<uint>.Zero);
        Vector128.Narrow(words.GetLower(), Vector128<ushort>.Zero).GetLower().Store(target);
    }

    private static void ScalarRow(byte* start, in ColumnTaps horizontal, byte* row, int columns)
    {
        for (var x = 0; x < columns; x++)
        {
            int red = Half, green = Half, blue = Half;
            var weights = horizontal.Weights + x;
            var offset = horizontal.Offsets[x];
            for (var t = 0; t < horizontal.Count; t++, weights += columns)
            {
                red += start[offset] * *weights;
                green += start[offset + 1] * *weights;
                blue += start[offset + 2] * *weights;
                offset = Math.Min(offset + 3, horizontal.LastOffset);
            }

            row[x] = (byte)(red >> AntialiasAxis.FractionBits);
            row[columns + x] = (byte)(green >> AntialiasAxis.FractionBits);
            row[2 * columns + x] = (byte)(blue >> AntialiasAxis.FractionBits);
        }
    }

    /// <summary>One output row of one channel. Lanes: 8 integers; the remainder is scalar.</summary>
    private static void BlendRows<TRow>(
        byte** rows, int* weights, int taps, int channelOffset, TRow target, int width, bool vectorized)
        where TRow : struct, IBlendedRow
    {
        var x = 0;
        if (vectorized && Vector256.IsHardwareAccelerated)
        {
            for (; x <= width - Vector256<int>.Count; x += Vector256<int>.Count)
            {
                var sum = Vector256.Create(Half);
                for (var t = 0; t < taps; t++)
                {
                    var eight = Unsafe.ReadUnaligned<ulong>(rows[t] + channelOffset + x);
                    var words = Vector128.WidenLower(Vector128.CreateScalarUnsafe(eight).AsByte()).ToVector256Unsafe();
                    sum += Vector256.WidenLower(words).AsInt32() * Vector256.Create(weights[t]);
                }

                target.Store(sum, x);
            }
        }

        for (; x < width; x++)
        {
            var sum = Half;
            for (var t = 0; t < taps; t++)
            {
                sum += rows[t][channelOffset + x] * weights[t];
            }

            target.Store(sum >> AntialiasAxis.FractionBits, x);
        }
    }

    /// <summary>Receives a resized row of one channel.</summary>
    private interface IBlendedRow
    {
        /// <summary>Takes eight fixed-point sums, rounding included.</summary>
        void Store(Vector256<int> sums, int x);

        /// <summary>Takes one resized value, 0 … 255.</summary>
        void Store(int value, int x);
    }

    /// <summary>A row of the tensor, normalized.</summary>
    private readonly struct NormalizedRow(float* target, PlaneNormalization normalization) : IBlendedRow
    {
        public void Store(Vector256<int> sums, int x)
        {
            var resized = Vector256.ConvertToSingle(sums >> AntialiasAxis.FractionBits);
            (resized * normalization.Multiplier + Vector256.Create(normalization.Offset)).Store(target + x);
        }

        public void Store(int value, int x) => target[x] = value * normalization.Multiplier + normalization.Offset;
    }

    /// <summary>The resized bytes of one channel.</summary>
    private readonly struct ByteRow(byte* target) : IBlendedRow
    {
        public void Store(Vector256<int> sums, int x) => StoreBytes(sums, target + x);

        public void Store(int value, int x) => target[x] = (byte)value;
    }

    /// <summary>The horizontal taps of every column: first byte offset, then the weights tap by tap.</summary>
    private readonly struct ColumnTaps
    {
        internal readonly int* Offsets;
        internal readonly int* Weights;
        internal readonly int Count;
        internal readonly int LastOffset;

        /// <summary>Fills (1 + <paramref name="taps"/>) × <paramref name="columns"/> values; the columns behind the
        /// image repeat its last one.</summary>
        internal ColumnTaps(
            int* memory, int columns, int taps, int sourceWidth, int width, bool isMirrored)
        {
            Offsets = memory;
            Weights = memory + columns;
            LastOffset = (sourceWidth - 1) * 3;
            for (var x = 0; x < columns; x++)
            {
                var target = Math.Min(x, width - 1);
                target = isMirrored ? width - 1 - target : target;
                Offsets[x] = 3 * AntialiasAxis.FillTaps(target, sourceWidth, width, Weights + x, columns, taps);
            }

            // The widest filter rarely fills its last tap: enlarging needs two of three.
            Count = taps;
            while (Count > 1 && IsZero(Weights + (long)(Count - 1) * columns, columns))
            {
                Count--;
            }
        }

        private static bool IsZero(int* values, int count) =>
            !new ReadOnlySpan<int>(values, count).ContainsAnyExcept(0);
    }
}
