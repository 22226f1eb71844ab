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
    TimeSpan Total);
