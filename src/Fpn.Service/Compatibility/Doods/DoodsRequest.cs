using System.Globalization;
using System.Text.Json;
using Fpn.Service.Compatibility.Door;
using Fpn.Service.Json;
using Fpn.Service.Problems;

namespace Fpn.Service.Compatibility.Doods;

/// <summary>A request to detect, as DOODS defines it.</summary>
internal sealed class DoodsRequest
{
    /// <summary>The most thresholds and regions; more than any model has labels to use.</summary>
    private const int MostEntries = 10_000;

    private const int LongestText = 256;

    private readonly DoodsThresholds _thresholds = new();
    private readonly List<DoodsRegion> _regions = [];
    private int _entries;

    private DoodsRequest()
    {
    }

    /// <summary>The id that the answer repeats; null when none was given.</summary>
    public string? Id { get; private set; }

    /// <summary>Name of the detector; null when none was given.</summary>
    public string? Detector { get; private set; }

    /// <summary>The image.</summary>
    public OneImage Image { get; } = new("data");

    /// <summary>Reads a request; members that DOODS does not need for one answer are skipped.</summary>
    public static Outcome<DoodsRequest> Read(ReadOnlySpan<byte> json)
    {
        var request = new DoodsRequest();
        var problem = JsonBody.Read(json, (ref JsonObjectReader reader, string? name) => name switch
        {
            "data" => request.Image.Read(ref reader),
            _ when reader.Token == JsonTokenType.Null => null,
            "id" => ReadText(ref reader, name, text => request.Id = text),
            "detector_name" => ReadText(ref reader, name, text => request.Detector = text),
            "image" => ReadText(ref reader, name, _ => { }) ?? RefuseDrawing(ref reader),
            "detect" => request.ReadThresholds(ref reader, name, request._thresholds),
            "regions" when reader.Token == JsonTokenType.StartArray => JsonBody.ReadElements(
                ref reader, (ref JsonObjectReader element, int index) => request.ReadRegion(ref element, index)),
            "regions" => Problem.BadParameter(name, "Must be an array."),
            _ => JsonBody.Skip(ref reader),
        });
        return problem is null ? request : problem;
    }

    /// <summary>Whether an object is answered.</summary>
    /// <param name="box">Where it is.</param>
    /// <param name="label">Its label.</param>
    /// <param name="percent">Its confidence, in percent.</param>
    public bool Keep(DoodsBox box, string label, double percent) =>
        _thresholds.Keep(label, percent) || _regions.Exists(region => region.Keep(box, label, percent));

    private static Problem? ReadText(ref JsonObjectReader json, string name, Action<string> take)
    {
        if (json.Text(LongestText) is not { } text)
        {
            return Problem.BadParameter(name, $"Must be a string of at most {LongestText} characters.");
        }

        take(text);
        return null;
    }

    /// <summary>Refuses to draw; an empty text asks for no picture.</summary>
    private static Problem? RefuseDrawing(ref JsonObjectReader json) => json.Text(0) is not null
        ? null
        : Problem.BadParameter(
            "image", "No picture is drawn here. Leave it out, or send the picture itself to /detect?format=image.");

    private static Problem? ReadNumber(ref JsonObjectReader json, string path, out double number) =>
        double.TryParse(json.NumberText(), NumberStyles.Float, CultureInfo.InvariantCulture, out number)
            ? null
            : Problem.BadParameter(path, "Must be a number.");

    private Problem? ReadThresholds(ref JsonObjectReader json, string path, DoodsThresholds thresholds) =>
        json.Token != JsonTokenType.StartObject
            ? Problem.BadParameter(path, "Must be an object: labels and percents.")
            : JsonBody.ReadMembers(ref json, (ref JsonObjectReader value, string? label) =>
            {
                if (CountEntry(path) is { } tooMany)
                {
                    return tooMany;
                }

                if (ReadNumber(ref value, path, out var percent) is { } problem)
                {
                    return problem;
                }

                if (label is not null)
                {
                    thresholds.Set(label, percent);
                }

                return null;
            });

    private Problem? ReadRegion(ref JsonObjectReader json, int index)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"regions[{index}]");
        if (json.Token != JsonTokenType.StartObject)
        {
            return Problem.BadParameter(path, "Must be an object.");
        }

        if (CountEntry("regions") is { } tooMany)
        {
            return tooMany;
        }

        var (top, left, bottom, right, covers) = (0d, 0d, 1d, 1d, false);
        var thresholds = new DoodsThresholds();
        var problem = JsonBody.ReadMembers(ref json, (ref JsonObjectReader value, string? name) => name switch
        {
            "top" => ReadNumber(ref value, path, out top),
            "left" => ReadNumber(ref value, path, out left),
            "bottom" => ReadNumber(ref value, path, out bottom),
            "right" => ReadNumber(ref value, path, out right),
            "covers" => ReadBoolean(ref value, path, out covers),
            "detect" => ReadThresholds(ref value, path, thresholds),
            _ => JsonBody.Skip(ref value),
        });
        _regions.Add(new DoodsRegion(new DoodsBox(top, left, bottom, right), covers, thresholds));
        return problem;
    }

    private static Problem? ReadBoolean(ref JsonObjectReader json, string path, out bool value)
    {
        value = json.Boolean() ?? false;
        return json.Boolean() is null ? Problem.BadParameter(path, "'covers' must be true or false.") : null;
    }

    private Problem? CountEntry(string path) => ++_entries > MostEntries
        ? Problem.BadParameter(path, $"There are more than {MostEntries} thresholds and regions.")
        : null;
}
