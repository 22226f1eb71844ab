using System.Diagnostics;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Pixels;
using Fpn.Imaging.Vips;
using Fpn.Models.Detectors;
using Fpn.Models.TwoStage;

namespace Fpn.Benchmarks.Load;

/// <summary>Decode, prepare, infer, select: what the service does, without HTTP and without a queue.</summary>
/// <param name="detector">Runs the batches.</param>
/// <param name="images">Encoded; taken in turns.</param>
/// <param name="streams">Batches that may be on the device at the same time, as in the service.</param>
internal sealed class BarePipeline(TwoStageDetector detector, byte[][] images, int streams = 1) : IDisposable
{
    private readonly ImageDecoder _decoder = new(40_000_000, new VipsCodec());
    private readonly SemaphoreSlim _device = new(streams);

    /// <summary>Runs the whole pipeline on some threads; the device is taken by as many as in the service.</summary>
    /// <param name="threads">
    /// Of each thread one batch is under way; where a batch has several images, they are decoded in parallel.
    /// </param>
    /// <param name="time">No batch begins after it.</param>
    /// <param name="batch">Images in a batch; more than one must all have one padded size.</param>
    /// <returns>Images per second.</returns>
    public double RunLoop(int threads, TimeSpan time, int batch = 1)
    {
        var done = 0;
        var start = Stopwatch.GetTimestamp();
        var workers = Enumerable.Range(0, threads).Select(worker => new Thread(() =>
        {
            for (var i = worker; Stopwatch.GetElapsedTime(start) < time; i += threads)
            {
                RunBatch(i * batch, batch);
                Interlocked.Add(ref done, batch);
            }
        })).ToList();
        workers.ForEach(worker => worker.Start());
        workers.ForEach(worker => worker.Join());
        return done / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Runs the two sessions and the choice of proposals between them on prepared tensors, and nothing
    /// else.</summary>
    /// <returns>Images per second.</returns>
    public double RunSessions(TimeSpan time)
    {
        using var image = Decode(images[0]);
        using var prepared = Prepare(image);
        var done = 0;
        var start = Stopwatch.GetTimestamp();
        for (; Stopwatch.GetElapsedTime(start) < time; done++)
        {
            detector.Infer(prepared).Dispose();
        }

        return done / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Runs images one after the other.</summary>
    /// <returns>The median of the sum of the stage times, in milliseconds.</returns>
    public double RunStages(int count)
    {
        var times = new List<double>();
        for (var i = 0; i < count; i++)
        {
            var start = Stopwatch.GetTimestamp();
            RunBatch(i, 1);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        times.Sort();
        return times[times.Count / 2];
    }

    /// <inheritdoc/>
    public void Dispose() => _device.Dispose();

    private PreparedBatch Prepare(params DecodedImage[] decoded)
    {
        var measured = Array.ConvertAll(decoded, image => new MeasuredImage(image, detector));
        return detector.Prepare(measured[0].Geometry.Padded, measured);
    }

    private void RunBatch(int first, int count)
    {
        var decoded = new DecodedImage[count];
        if (count == 1)
        {
            decoded[0] = Decode(images[first % images.Length]);
        }
        else
        {
            Parallel.For(0, count, i => decoded[i] = Decode(images[(first + i) % images.Length]));
        }

        using var prepared = Prepare(decoded);
        Array.ForEach(decoded, image => image.Dispose());
        InferredBatch inferred;
        _device.Wait();
        try
        {
            inferred = detector.Infer(prepared);
        }
        finally
        {
            _device.Release();
        }

        using (inferred)
        {
            for (var i = 0; i < count; i++)
            {
                _ = inferred.Select(i);
            }
        }
    }

    private DecodedImage Decode(byte[] encoded) =>
        _decoder.Decode(encoded).Image ?? throw new InvalidDataException("An image cannot be decoded.");
}
