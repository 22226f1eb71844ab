using System.Text.Json;
using Fpn.Service.Answers;
using Fpn.Service.Problems;

namespace Fpn.Service.Compatibility.LabelStudio;

/// <summary>Writes the prediction of one task.</summary>
internal static class TaskResult
{
    /// <summary>Writes it; a task that failed has an empty result, since every task must have one.</summary>
    /// <param name="json">Takes it.</param>
    /// <param name="version">The model's name and version.</param>
    /// <param name="config">The project's names.</param>
    /// <param name="labels">The project's label for each of the model's; null for none.</param>
    /// <param name="outcome">The detections, or the problem.</param>
    public static void Write(
        Utf8JsonWriter json,
        string version,
        LabelConfig config,
        string?[] labels,
        Outcome<DetectionAnswer> outcome)
    {
        json.WriteStartObject();
        json.WriteString("model_version"u8, version);
        json.WriteStartArray("result"u8);
        var (sum, count) = (0.0, 0);
        if (outcome.Succeeded(out var answer, out _))
        {
            foreach (var detection in answer.Detections)
            {
                if (labels[detection.Label] is { } label)
                {
                    var score = DetectionFilter.ReportedScore(detection);
                    (sum, count) = (sum + score, count + 1);
                    WriteBox(json, config, label, answer, DetectionAnswer.Rounded(detection), score);
                }
            }
        }

        json.WriteEndArray();
        json.WriteNumber("score"u8, count == 0 ? 0 : Math.Round(sum / count, 5));
        json.WriteEndObject();
    }

    /// <summary>Positions and sizes are percent of the picture.</summary>
    private static void WriteBox(
        Utf8JsonWriter json, LabelConfig config, string label, DetectionAnswer answer, BoxResponse box, double score)
    {
        var (width, height) = ((double)answer.Size.Width, (double)answer.Size.Height);
        json.WriteStartObject();
        json.WriteString("from_name"u8, config.FromName);
        json.WriteString("to_name"u8, config.ToName);
        json.WriteString("type"u8, "rectanglelabels"u8);
        json.WriteNumber("original_width"u8, answer.Size.Width);
        json.WriteNumber("original_height"u8, answer.Size.Height);
        json.WriteNumber("image_rotation"u8, 0);
        json.WriteStartObject("value"u8);
        json.WriteNumber("x"u8, Percent(box.X1, width));
        json.WriteNumber("y"u8, Percent(box.Y1, height));
        json.WriteNumber("width"u8, Percent(box.X2 - box.X1, width));
        json.WriteNumber("height"u8, Percent(box.Y2 - box.Y1, height));
        json.WriteNumber("rotation"u8, 0);
        json.WriteStartArray("rectanglelabels"u8);
        json.WriteStringValue(label);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteNumber("score"u8, score);
        json.WriteEndObject();
    }

    // Five decimals are less than a hundredth of a pixel in pictures up to 50,000 pixels wide.
    private static double Percent(double length, double whole) => Math.Round(100 * length / whole, 5);
}
