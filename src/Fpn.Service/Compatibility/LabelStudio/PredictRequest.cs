using System.Globalization;
using System.Text.Json;
using Fpn.Service.Json;
using Fpn.Service.Problems;

namespace Fpn.Service.Compatibility.LabelStudio;

/// <summary>A request of Label Studio to predict tasks.</summary>
internal sealed class PredictRequest
{
    private const int MostTasks = 1000;
    private const int MostMembers = 256;
    private const int LongestConfig = 1 << 20;

    private readonly List<Dictionary<string, Base64Text>> _tasks = [];

    private PredictRequest()
    {
    }

    /// <summary>The project's labeling configuration; null when the body holds none.</summary>
    public string? Config { get; private set; }

    /// <summary>The tasks.</summary>
    public int Count => _tasks.Count;

    /// <summary>The name of a task in problems.</summary>
    public static string PathFor(int index) => string.Create(CultureInfo.InvariantCulture, $"tasks[{index}]");

    /// <summary>Reads a request.</summary>
    /// <param name="json">The whole body.</param>
    public static Outcome<PredictRequest> Read(ReadOnlySpan<byte> json)
    {
        var request = new PredictRequest();
        var problem = JsonBody.Read(json, (ref JsonObjectReader reader, string? name) =>
        {
            switch (name)
            {
                case "tasks" when reader.Token == JsonTokenType.StartArray:
                    return JsonBody.ReadElements(ref reader, request.ReadTask);
                case "label_config":
                    request.Config = reader.Text(LongestConfig);
                    break;
            }

            reader.Skip();
            return null;
        });
        return problem is not null ? problem
            : request.Count > 0 ? request
            : Problem.BadParameter("tasks", "Must be a list with a task at least.");
    }

    /// <summary>The place of a task's picture in the body; null when its data has no such text.</summary>
    public Base64Text? ImageFor(int index, string key) =>
        _tasks[index].TryGetValue(key, out var place) ? place : null;

    private Problem? ReadTask(ref JsonObjectReader json, int index)
    {
        if (index == MostTasks)
        {
            return Problem.BatchTooLarge(0) with { Detail = $"More than {MostTasks} tasks are not served at once." };
        }

        if (json.Token != JsonTokenType.StartObject)
        {
            return Problem.BadParameter(PathFor(index), "Must be an object.");
        }

        var texts = new Dictionary<string, Base64Text>(StringComparer.Ordinal);
        _tasks.Add(texts);
        return JsonBody.ReadMembers(ref json, (ref JsonObjectReader member, string? name) =>
        {
            if (name == "data" && member.Token == JsonTokenType.StartObject)
            {
                return JsonBody.ReadMembers(ref member, (ref JsonObjectReader value, string? key) =>
                {
                    if (key is not null && value.IsText && texts.Count < MostMembers)
                    {
                        texts[key] = value.Place;
                    }

                    value.Skip();
                    return null;
                });
            }

            member.Skip();
            return null;
        });
    }
}
