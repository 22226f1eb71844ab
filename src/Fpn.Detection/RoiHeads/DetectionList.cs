using Fpn.Detection.Tensors;

namespace Fpn.Detection.RoiHeads;

/// <summary>The detections of one image, best first; reused from image to image.</summary>
/// <remarks>The span refers to the list's own memory: it is valid until the list is filled again. Not
/// thread-safe.</remarks>
public sealed class DetectionList
{
    private DetectedBox[] _detections = [];

    /// <summary>Number of detections.</summary>
    public int Count { get; private set; }

    /// <summary>The detections: highest score first, then smaller label, then earlier proposal.</summary>
    public ReadOnlySpan<DetectedBox> Detections => _detections.AsSpan(0, Count);

    /// <summary>Empties the list and makes room.</summary>
    internal void Clear(int capacity)
    {
        Count = 0;
        WorkArray.Grow(ref _detections, capacity);
    }

    /// <summary>Adds a detection, for which there is room.</summary>
    internal void Add(in DetectedBox detection) => _detections[Count++] = detection;
}
