using System.Globalization;
using System.Text.Json;
using Fpn.Models.Execution.Devices;
using Fpn.Service.Answers;
using Fpn.Service.Compatibility.Door;
using Fpn.Serving.Lanes;
using Fpn.Settings;

namespace Fpn.Service.Compatibility.DeepStack;

/// <summary>Writes answers as DeepStack and CodeProject.AI do.</summary>
/// <param name="options">Which objects are answered.</param>
/// <param name="device">What the models run on.</param>
/// <param name="clock">Gives answers their time.</param>
internal sealed class DeepStackAnswer(DeepStackOptions options, DeviceDescription device, TimeProvider clock)
{
    /// <summary>Detections as JSON.</summary>
    public const string DetectionExample = """
        {
          "success": true, "message": "Found person", "count": 1,
          "predictions": [
            { "label": "person", "confidence": 0.98761, "x_min": 84, "y_min": 363, "x_max": 197, "y_max": 480 }
          ],
          "inferenceMs": 61, "processMs": 67, "analysisRoundTripMs": 67,
          "command": "detect", "moduleId": "Fpn.Service", "moduleName": "Fpn.Service",
          "executionProvider": "CPU", "canUseGPU": false,
          "timestampUTC": "Mon, 04 Aug 2025 12:34:56 GMT", "code": 200
        }
        """;

    /// <summary>A list of models as JSON.</summary>
    public const string ListExample = """
        {
          "success": true, "models": ["everyday", "blood-cells"],
          "command": "list-custom", "moduleId": "Fpn.Service", "moduleName": "Fpn.Service",
          "executionProvider": "CPU", "canUseGPU": false,
          "timestampUTC": "Mon, 04 Aug 2025 12:34:56 GMT", "code": 200
        }
        """;

    private const string Module = "Fpn.Service";

    private readonly HashSet<string> _labels = new(ListSetting.Items(options.Labels), StringComparer.OrdinalIgnoreCase);

    /// <summary>The detections of one image: best first, whole pixels.</summary>
    public JsonAnswer Detections(DetectionAnswer answer)
    {
        var labels = answer.Contract.Labels;
        var found = answer.Detections
            .Where(detection => _labels.Count == 0 || _labels.Contains(labels[detection.Label]))
            .Take(options.MaxDetections)
            .ToArray();
        var names = found.Select(detection => labels[detection.Label]).Distinct().ToArray();
        return Write("detect", json =>
        {
            json.WriteString("message"u8, names.Length == 0 ? "No objects found" : $"Found {string.Join(", ", names)}");
            json.WriteNumber("count"u8, found.Length);
            json.WriteStartArray("predictions"u8);
            foreach (var detection in found)
            {
                var box = PixelBox.Round(detection.Box);
                json.WriteStartObject();
                json.WriteString("label"u8, labels[detection.Label]);
                json.WriteNumber("confidence"u8, DetectionFilter.ReportedScore(detection));
                json.WriteNumber("x_min"u8, box.X1);
                json.WriteNumber("y_min"u8, box.Y1);
                json.WriteNumber("x_max"u8, box.X2);
                json.WriteNumber("y_max"u8, box.Y2);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteNumber("inferenceMs"u8, Whole(answer.Timings.InferenceMs));
            json.WriteNumber("processMs"u8, Whole(answer.Timings.TotalMs));
            json.WriteNumber("analysisRoundTripMs"u8, Whole(answer.Timings.TotalMs));
        });
    }

    /// <summary>The names of the models.</summary>
    public JsonAnswer Models(IReadOnlyList<ModelLane> lanes) => Write("list-custom", json =>
    {
        json.WriteStartArray("models"u8);
        foreach (var lane in lanes)
        {
            json.WriteStringValue(lane.Model.Contract.Name);
        }

        json.WriteEndArray();
    });

    private static long Whole(double milliseconds) => (long)Math.Round(milliseconds);

    private JsonAnswer Write(string command, Action<Utf8JsonWriter> write) => new(json =>
    {
        json.WriteStartObject();
        json.WriteBoolean("success"u8, true);
        write(json);
        json.WriteString("command"u8, command);
        json.WriteString("moduleId"u8, Module);
        json.WriteString("moduleName"u8, Module);
        json.WriteString("executionProvider"u8, device.ProviderName.ToUpperInvariant());
        json.WriteBoolean("canUseGPU"u8, device.IsGpu);
        json.WriteString("timestampUTC"u8, clock.GetUtcNow().ToString("R", CultureInfo.InvariantCulture));
        json.WriteNumber("code"u8, StatusCodes.Status200OK);
        json.WriteEndObject();
    });
}
