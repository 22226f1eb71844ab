using System.Text.Json;
using Fpn.Service.Answers;

namespace Fpn.Service.Compatibility.Predict;

/// <summary>Writes detections as TensorFlow's object detection models answer.</summary>
internal static class Prediction
{
    /// <summary>Writes the detections of one image as an object.</summary>
    /// <remarks>Boxes are ymin, xmin, ymax, xmax in parts of the image's height and width, 0 to 1.</remarks>
    public static void Write(Utf8JsonWriter json, DetectionAnswer answer)
    {
        var (width, height) = ((double)answer.Size.Width, (double)answer.Size.Height);
        json.WriteStartObject();
        json.WriteNumber("num_detections"u8, answer.Detections.Count);
        json.WriteStartArray("detection_boxes"u8);
        foreach (var detection in answer.Detections)
        {
            json.WriteStartArray();
            json.WriteNumberValue(Part(detection.Box.Y1, height));
            json.WriteNumberValue(Part(detection.Box.X1, width));
            json.WriteNumberValue(Part(detection.Box.Y2, height));
            json.WriteNumberValue(Part(detection.Box.X2, width));
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteStartArray("detection_scores"u8);
        foreach (var detection in answer.Detections)
        {
            json.WriteNumberValue(DetectionFilter.ReportedScore(detection));
        }

        json.WriteEndArray();
        json.WriteStartArray("detection_classes"u8);
        foreach (var detection in answer.Detections)
        {
            json.WriteNumberValue(answer.Contract.ClassIds[detection.Label]);
        }

        json.WriteEndArray();
        json.WriteStartArray("detection_class_labels"u8);
        foreach (var detection in answer.Detections)
        {
            json.WriteStringValue(answer.Contract.Labels[detection.Label]);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    // Six decimals are a thousandth of a pixel in the largest pictures that models are made for.
    private static double Part(float position, double size) => Math.Round(position / size, 6);
}
