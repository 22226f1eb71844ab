using System.Runtime.InteropServices;
using Fpn.Detection.Geometry;

namespace Fpn.Benchmarks.Gpu;

/// <summary>Copies between host and device, of what a batch of the model sends and fetches.</summary>
internal sealed class TransfersSection : ISection
{
    /// <inheritdoc/>
    public string Name => "transfers";

    /// <inheritdoc/>
    public string Title => "Transfer times";

    /// <inheritdoc/>
    public Task RunAsync(Bench bench, SectionResult result)
    {
        if (!bench.OnGpu)
        {
            throw new NotMeasurableException("On the CPU nothing is transferred.");
        }

        result.Notes.Add(
            "Single copies of CUDA's runtime, each waited for (median): from and to pageable memory, and "
            + "page-locked memory.");
        using var cuda = new CudaRuntime();
        foreach (var variant in bench.Timed.DistinctBy(variant => variant.Model))
        {
            var padded = bench.PaddedSize(variant);
            var anchors = Anchors(variant, padded);
            var table = result.AddTable(
                $"{variant.Model}, {padded}", "what", "batch", "MB", "pageable, ms", "GB/s", "locked, ms", "GB/s");
            foreach (var batch in bench.Batches)
            {
                if (bench.Stop(result))
                {
                    return Task.CompletedTask;
                }

                Add("images as float32, up", "float32Up", 3 * padded.Area * 4 * batch, up: true);
                Add("images as float16, up", "float16Up", 3 * padded.Area * 2 * batch, up: true);
                Add("images as bytes, up", "bytesUp", 3 * padded.Area * batch, up: true);
                Add("objectness and deltas, down", "rpnDown", anchors * 5 * 4 * batch, up: false);

                void Add(string what, string figure, long bytes, bool up)
                {
                    var pageable = Time(cuda, bench, bytes, up, pinned: false);
                    var locked = Time(cuda, bench, bytes, up, pinned: true);
                    result.Keep($"{variant.Model}.batch{batch}.{figure}PageableMs", pageable);
                    result.Keep($"{variant.Model}.batch{batch}.{figure}LockedMs", locked);
                    table.Add(what, batch, bytes / 1e6, pageable, bytes / pageable / 1e6, locked, bytes / locked / 1e6);
                }
            }
        }

        return Task.CompletedTask;
    }

    /// <summary>Anchors of an image: a level's grid halves, rounded up, from a quarter of the image on.</summary>
    private static long Anchors(Variant variant, ImageSize padded)
    {
        var anchors = variant.Contract.Anchors;
        return anchors.Levels.Index().Sum(entry =>
        {
            var stride = 4 << entry.Index;
            var cells = (long)((padded.Height + stride - 1) / stride) * ((padded.Width + stride - 1) / stride);
            return cells * entry.Item.AnchorSizes.Count * anchors.AspectRatios.Count;
        });
    }

    /// <returns>Milliseconds of one copy.</returns>
    private static unsafe double Time(CudaRuntime cuda, Bench bench, long bytes, bool up, bool pinned)
    {
        var device = cuda.Allocate(bytes);
        var host = pinned ? cuda.AllocateHost(bytes) : (nint)NativeMemory.AllocZeroed((nuint)bytes);
        try
        {
            return Samples.Repeat(bench.PointTime / 20, Copy, least: 5).P50;
        }
        finally
        {
            cuda.Free(device);
            if (pinned)
            {
                cuda.FreeHost(host);
            }
            else
            {
                NativeMemory.Free((void*)host);
            }
        }

        void Copy()
        {
            if (up)
            {
                cuda.Upload(device, host, bytes);
            }
            else
            {
                cuda.Download(host, device, bytes);
            }
        }
    }
}
