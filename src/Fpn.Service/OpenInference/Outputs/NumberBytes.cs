using System.Buffers.Binary;
using Fpn.Models.Detectors;
using Fpn.Models.Packages;

namespace Fpn.Service.OpenInference;

/// <summary>Outputs in the binary form: numbers one after the other, little-endian.</summary>
internal static class OutputBytes
{
    /// <summary>Writes an output.</summary>
    /// <param name="destination">Takes M × width × element size bytes; M detections in all.</param>
    /// <param name="tensor">The output.</param>
    /// <param name="detections">[N], those of each image.</param>
    /// <param name="contract">The model that found them.</param>
    public static void Write(
        Span<byte> destination, OutputTensor tensor, DetectedObject[][] detections, ModelContract contract)
    {
        for (var i = 0; i < detections.Length; i++)
        {
            foreach (var detection in detections[i])
            {
                switch (tensor)
                {
                    case OutputTensor.Boxes:
                        BinaryPrimitives.WriteSingleLittleEndian(destination, detection.Box.X1);
                        BinaryPrimitives.WriteSingleLittleEndian(destination[4..], detection.Box.Y1);
                        BinaryPrimitives.WriteSingleLittleEndian(destination[8..], detection.Box.X2);
                        BinaryPrimitives.WriteSingleLittleEndian(destination[12..], detection.Box.Y2);
                        break;
                    case OutputTensor.Scores:
                        BinaryPrimitives.WriteSingleLittleEndian(destination, detection.Score);
                        break;
                    case OutputTensor.Labels:
                        BinaryPrimitives.WriteInt64LittleEndian(destination, contract.ClassIds[detection.Label]);
                        break;
                    default:
                        BinaryPrimitives.WriteInt64LittleEndian(destination, i);
                        break;
                }

                destination = destination[(tensor.Width() * tensor.ElementSize())..];
            }
        }
    }
}
