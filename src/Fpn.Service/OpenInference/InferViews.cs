using System.Text.Json;
using Fpn.Service.Json;
using Fpn.Service.Problems;

namespace Fpn.Service.OpenInference;

/// <summary>Parameters of a request, of this service: which looks are taken at each image, as in the query of
/// <c>/detect</c>.</summary>
internal static class InferViews
{
    /// <summary>The longest value, in characters.</summary>
    private const int LongestValue = 256;

    /// <summary>Names of the parameters.</summary>
    public static IReadOnlyList<string> Names { get; } =
        ["slice", "overlap", "whole_image", "scales", "flip", "merge", "merge_threshold"];

    /// <summary>Finds the parameter of the query that a parameter of a request means.</summary>
    /// <param name="name">The protocol writes names with underscores.</param>
    /// <returns>Null where it does not concern views.</returns>
    public static string? Find(string? name) => name switch
    {
        "whole_image" => "wholeImage",
        "merge_threshold" => "mergeThreshold",
        "slice" or "overlap" or "scales" or "flip" or "merge" => name,
        _ => null,
    };

    /// <summary>Sets a parameter.</summary>
    /// <param name="name">From <see cref="Find"/>.</param>
    /// <param name="value">Its value as text; null when it has none.</param>
    /// <param name="path">Its name in messages.</param>
    /// <param name="choices">Takes it.</param>
    /// <returns>Null, or its problem.</returns>
    public static Problem? Set(string name, string? value, string path, InferChoices choices)
    {
        choices.ForDetections ??= path;
        return value is null
            ? Problem.BadParameter(path, "Must be a short string, a number or a boolean.")
            : choices.Views.Set(name, path, value);
    }

    /// <summary>Sets a parameter.</summary>
    /// <param name="name">From <see cref="Find"/>.</param>
    /// <param name="json">Positioned on its value.</param>
    /// <param name="path">Its name in messages.</param>
    /// <param name="choices">Takes it.</param>
    /// <returns>Null, or its problem.</returns>
    public static Problem? Set(string name, JsonObjectReader json, string path, InferChoices choices) => Set(
        name,
        json.Token switch
        {
            JsonTokenType.String => json.Text(LongestValue),
            JsonTokenType.True => "true",
            JsonTokenType.False => "false",
            _ => json.NumberText(),
        },
        path,
        choices);
}
