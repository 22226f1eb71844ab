using Fpn.Models.Detectors;
using Fpn.Models.Packages;

namespace Fpn.Service.OpenInference.Outputs;

/// <summary>The detections of the images of a request.</summary>
/// <param name="contract">The model that found them.</param>
/// <param name="detections">[N], each in the order of the answer.</param>
internal sealed class DetectionRows(ModelContract contract, DetectedObject[][] detections)
    : OutputRows(contract, detections.Length, detections.Sum(image => image.Length))
{
    /// <inheritdoc/>
    public override void Write<TSink>(OutputTensor tensor, ref TSink sink)
    {
        for (var i = 0; i < detections.Length; i++)
        {
            foreach (var detection in detections[i])
            {
                switch (tensor)
                {
                    case OutputTensor.Boxes:
                        Add(detection.Box, ref sink);
                        break;
                    case OutputTensor.Scores:
                        sink.Add(detection.Score);
                        break;
                    case OutputTensor.Labels:
                        sink.Add((long)Contract.ClassIds[detection.Label]);
                        break;
                    default:
                        sink.Add((long)i);
                        break;
                }
            }
        }
    }
}
