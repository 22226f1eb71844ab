using Fpn.Models.Detectors;

namespace Fpn.Serving.Requests;

/// <summary>Where the time of one request went.</summary>
/// <param name="Decode">Bytes to pixels.</param>
/// <param name="Preprocess">Resizing and normalizing.</param>
/// <param name="Queue">All the rest: waiting for memory, a decoder, a batch, the device.</param>
/// <param name="Inference">Both graphs and the choice of proposals between them.</param>
/// <param name="Parts">Where the time of <paramref name="Inference"/> went.</param>
/// <param name="Postprocess">Choice of detections.</param>
/// <param name="Total">All of it.</param>
internal readonly record struct StageTimes(
    TimeSpan Decode,
    TimeSpan Preprocess,
    TimeSpan Queue,
    TimeSpan Inference,
    InferenceTimes Parts,
    TimeSpan Postprocess,
    TimeSpan Total)
{
    /// <summary>Adds up what an image took. Of views that shared a batch its times count once.</summary>
    /// <param name="decode">Decoding.</param>
    /// <param name="views">The outcome of each view, at least one.</param>
    /// <param name="merge">Merging them.</param>
    /// <param name="total">All of it. Where batches ran side by side it may be less than the sum of the others; no time
    /// is left for <see cref="Queue"/> then.</param>
    public static StageTimes Sum(
        TimeSpan decode, IReadOnlyList<InferredImage> views, TimeSpan merge, TimeSpan total)
    {
        var (preprocess, inference, postprocess) = (TimeSpan.Zero, TimeSpan.Zero, merge);
        var parts = new InferenceTimes(TimeSpan.Zero);
        for (var i = 0; i < views.Count; i++)
        {
            postprocess += views[i].Postprocess.Time;
            var run = views[i].Run;
            if (!WasBefore(views, i))
            {
                preprocess += run.Preprocess.Time;
                inference += run.Inference.Time;
                parts += run.Parts;
            }
        }

        var queue = total - decode - preprocess - inference - postprocess;
        return new StageTimes(
            decode,
            preprocess,
            queue > TimeSpan.Zero || views.Count == 1 ? queue : TimeSpan.Zero,
            inference,
            parts,
            postprocess,
            total);
    }

    /// <summary>Whether an earlier view was in the same batch.</summary>
    internal static bool WasBefore(IReadOnlyList<InferredImage> views, int view)
    {
        for (var i = 0; i < view; i++)
        {
            if (ReferenceEquals(views[i].Run, views[view].Run))
            {
                return true;
            }
        }

        return false;
    }
}
