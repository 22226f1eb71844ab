using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;
using Fpn.Imaging.Pixels;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;

namespace Fpn.Serving.Sizing;

/// <summary>One point of a model's batch curve.</summary>
/// <param name="BatchSize">Images in a batch.</param>
/// <param name="Seconds">Time of one run of the graphs, the best of those measured.</param>
internal readonly record struct BatchTiming(int BatchSize, double Seconds)
{
    /// <summary>Throughput of the graphs at this batch size.</summary>
    public double ImagesPerSecond => BatchSize / Seconds;
}

/// <summary>Measures how throughput grows with the batch, and chooses the size beyond which it hardly does.</summary>
internal static class BatchSizeTuner
{
    /// <summary>Doubling the batch must gain at least this much.</summary>
    private const double WorthwhileGain = 1.05;

    private const int LargestBatch = 64;
    private const int RunsPerSize = 2;

    /// <summary>Runs batches of 1, 2, 4 … noise images; also warms the model up.</summary>
    /// <param name="detector">The model.</param>
    /// <param name="budget">No further size is begun after this time, nor one that would exceed it, to judge by the
    /// last. The first size is always measured.</param>
    /// <param name="clock">Measures.</param>
    /// <param name="infer">Runs a batch; on the device's own thread in the service.</param>
    /// <returns>The measurements, by rising size; <see cref="Choose"/> picks one.</returns>
    public static async Task<IReadOnlyList<BatchTiming>> MeasureAsync(
        IDetector detector, TimeSpan budget, TimeProvider clock, Func<PreparedBatch, Task> infer)
    {
        var began = clock.GetTimestamp();
        var curve = new List<BatchTiming>();
        using var noise = Noise();
        var measured = new MeasuredImage(noise, detector);
        for (var size = 1; size <= Math.Min(LargestBatch, detector.LargestBatch); size *= 2)
        {
            if (curve.Count > 0)
            {
                var expected = TimeSpan.FromSeconds(2 * curve[^1].Seconds * (RunsPerSize + 1));
                if (clock.GetElapsedTime(began) + expected > budget)
                {
                    break;
                }
            }

            double best;
            try
            {
                // Preparing takes memory as well: on a GPU it is page-locked memory, which is scarcer.
                using var batch = detector.Prepare(
                    measured.Geometry.Padded, [.. Enumerable.Repeat(measured, size)]);
                best = await TimeAsync(batch, clock, infer);
            }
            catch (ModelFailureException) when (curve.Count > 0)
            {
                // The sizes before ran: this one needs more memory than the device has.
                break;
            }

            // A clock that stands still measures nothing; the smallest time keeps the division defined.
            curve.Add(new BatchTiming(size, Math.Max(best, 1e-9)));
            if (!IsWorthwhile(curve, curve.Count - 1))
            {
                break;
            }
        }

        return curve;
    }

    /// <summary>The smallest batch size beyond which throughput gains less than 5 %.</summary>
    /// <param name="curve">The measurements, by rising size; without any, 1 is chosen.</param>
    public static int Choose(IReadOnlyList<BatchTiming> curve)
    {
        if (curve.Count == 0)
        {
            return 1;
        }

        var chosen = 0;
        while (chosen + 1 < curve.Count && IsWorthwhile(curve, chosen + 1))
        {
            chosen++;
        }

        return curve[chosen].BatchSize;
    }

    /// <returns>Seconds of the fastest run.</returns>
    private static async Task<double> TimeAsync(
        PreparedBatch batch, TimeProvider clock, Func<PreparedBatch, Task> infer)
    {
        // The first run of a shape allocates, and on a GPU chooses algorithms.
        await infer(batch);
        var best = double.PositiveInfinity;
        for (var run = 0; run < RunsPerSize; run++)
        {
            var start = clock.GetTimestamp();
            await infer(batch);
            best = Math.Min(best, clock.GetElapsedTime(start).TotalSeconds);
        }

        return best;
    }

    private static bool IsWorthwhile(IReadOnlyList<BatchTiming> curve, int point) =>
        point == 0 || curve[point].ImagesPerSecond >= WorthwhileGain * curve[point - 1].ImagesPerSecond;

    /// <summary>
    /// Noise in the size of a 4:3 photograph: on an even surface there would be next to no proposals.
    /// </summary>
    private static DecodedImage Noise()
    {
        const int Height = 480;
        const int Width = 640;
        var noise = new DecodedImage(
            ImageFormat.Png, new ImageSize(Height, Width), PixelBuffer.Allocate(Height * Width * 3));
        new Random(1).NextBytes(noise.WritablePixels);
        return noise;
    }
}
