using Fpn.Service.Model;

namespace Fpn.Service.Batching;

/// <summary>What a batch gave one of its images.</summary>
/// <param name="Detections">Best first.</param>
/// <param name="BatchSize">Images that shared the run.</param>
/// <param name="Preprocess">Resizing and normalising of the whole batch.</param>
/// <param name="Inference">Both graphs and the choice of proposals between them, for the whole batch.</param>
/// <param name="Postprocess">Choice of this image's detections.</param>
internal sealed record InferredImage(
    IReadOnlyList<DetectedObject> Detections, int BatchSize, TimeSpan Preprocess, TimeSpan Inference, TimeSpan Postprocess);
