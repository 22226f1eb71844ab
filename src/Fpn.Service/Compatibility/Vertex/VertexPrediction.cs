using System.Globalization;
using System.Text.Json;
using Fpn.Service.Answers;
using Fpn.Service.Compatibility.Predict;

namespace Fpn.Service.Compatibility.Vertex;

/// <summary>Writes detections as Vertex AI's own models for image object detection answer.</summary>
internal static class VertexPrediction
{
    /// <summary>Writes the detections of one image as an object.</summary>
    /// <remarks>
    /// Boxes are xMin, xMax, yMin, yMax in parts of the image's width and height, 0 to 1; ids are texts, as Google's
    /// JSON writes 64-bit numbers.
    /// </remarks>
    public static void Write(Utf8JsonWriter json, DetectionAnswer answer)
    {
        var (width, height) = ((double)answer.Size.Width, (double)answer.Size.Height);
        json.WriteStartObject();
        json.WriteStartArray("ids"u8);
        foreach (var detection in answer.Detections)
        {
            json.WriteStringValue(
                answer.Contract.ClassIds[detection.Label].ToString(CultureInfo.InvariantCulture));
        }

        json.WriteEndArray();
        json.WriteStartArray("displayNames"u8);
        foreach (var detection in answer.Detections)
        {
            json.WriteStringValue(answer.Contract.Labels[detection.Label]);
        }

        json.WriteEndArray();
        json.WriteStartArray("confidences"u8);
        foreach (var detection in answer.Detections)
        {
            json.WriteNumberValue(DetectionFilter.ReportedScore(detection));
        }

        json.WriteEndArray();
        json.WriteStartArray("bboxes"u8);
        foreach (var detection in answer.Detections)
        {
            json.WriteStartArray();
            json.WriteNumberValue(Prediction.Part(detection.Box.X1, width));
            json.WriteNumberValue(Prediction.Part(detection.Box.X2, width));
            json.WriteNumberValue(Prediction.Part(detection.Box.Y1, height));
            json.WriteNumberValue(Prediction.Part(detection.Box.Y2, height));
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
