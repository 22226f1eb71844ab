using System.Text.Json;
using Fpn.Service.Answers;

namespace Fpn.Service.Compatibility.Roboflow;

/// <summary>Writes detections as <c>inference_sdk</c> reads them.</summary>
internal static class RoboflowAnswer
{
    /// <summary>Writes the answer of a request.</summary>
    /// <param name="json">Takes it.</param>
    /// <param name="answers">[N] answers.</param>
    /// <param name="pictures">[N] pictures with their boxes, as base64; null for those that were not asked for.</param>
    /// <param name="isList">Whether the answer is a list.</param>
    public static void Write(Utf8JsonWriter json, DetectionAnswer[] answers, string?[] pictures, bool isList)
    {
        if (!isList)
        {
            Write(json, answers[0], pictures[0]);
            return;
        }

        json.WriteStartArray();
        for (var i = 0; i < answers.Length; i++)
        {
            Write(json, answers[i], pictures[i]);
        }

        json.WriteEndArray();
    }

    /// <summary>Boxes by their center and size, in pixels.</summary>
    private static void Write(Utf8JsonWriter json, DetectionAnswer answer, string? picture)
    {
        json.WriteStartObject();
        json.WriteStartObject("image"u8);
        json.WriteNumber("width"u8, answer.Size.Width);
        json.WriteNumber("height"u8, answer.Size.Height);
        json.WriteEndObject();
        json.WriteStartArray("predictions"u8);
        foreach (var detection in answer.Detections)
        {
            var box = DetectionAnswer.Rounded(detection);
            json.WriteStartObject();

            // Four decimals, so that corners come out with three.
            json.WriteNumber("x"u8, Math.Round((box.X1 + box.X2) / 2, 4));
            json.WriteNumber("y"u8, Math.Round((box.Y1 + box.Y2) / 2, 4));
            json.WriteNumber("width"u8, Math.Round(box.X2 - box.X1, 3));
            json.WriteNumber("height"u8, Math.Round(box.Y2 - box.Y1, 3));
            json.WriteNumber("confidence"u8, DetectionFilter.ReportedScore(detection));
            json.WriteString("class"u8, answer.Contract.Labels[detection.Label]);
            json.WriteNumber("class_id"u8, answer.Contract.ClassIds[detection.Label]);
            json.WriteString("detection_id"u8, Guid.NewGuid());
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("time"u8, Math.Round(answer.Timings.TotalMs / 1000, 6));
        json.WriteString("inference_id"u8, Guid.NewGuid());
        if (picture is not null)
        {
            json.WriteString("visualization"u8, picture);
        }

        json.WriteEndObject();
    }
}
