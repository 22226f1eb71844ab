using System.Globalization;
using Fpn.Service.Formats;
using Fpn.Service.Problems;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Detect;

/// <summary>What holds for the query of every endpoint that takes images.</summary>
internal static class QueryRules
{
    /// <summary>Name of the parameter that names the model.</summary>
    public const string Model = "model";

    /// <summary>Refuses parameters that are unknown, or given several times.</summary>
    /// <param name="query">The query.</param>
    /// <param name="known">Names that are known.</param>
    /// <param name="repeated">The one that may be repeated, if one may.</param>
    /// <returns>Null, or the problem of the first.</returns>
    public static Problem? CheckNames(IQueryCollection query, string[] known, string? repeated = null)
    {
        foreach (var (name, values) in query)
        {
            if (Array.IndexOf(known, name) < 0)
            {
                return Problem.BadParameter(
                    name, $"The parameter '{name}' is unknown. Known: {string.Join(", ", known)}.");
            }

            if (values.Count != 1 && name != repeated)
            {
                return Problem.BadParameter(
                    name, $"The parameter '{name}' is given {values.Count} times; give it once.");
            }
        }

        return null;
    }

    /// <summary>Takes a use of the model that the query names, or of the default one.</summary>
    /// <returns>The use, which the caller disposes, or the problem that there is no such model.</returns>
    public static Outcome<LaneUse> TakeModel(IQueryCollection query, LaneRegistry lanes)
    {
        var name = (string?)query[Model] ?? lanes.DefaultModel;
        return lanes.TryTake(name, out var use) ? use : Problem.UnknownModel(name, lanes.Names);
    }

    /// <summary>Sets a parameter that is given.</summary>
    /// <param name="query">The query.</param>
    /// <param name="name">Its name.</param>
    /// <param name="set">Takes name and text; returns the problem, if there is one.</param>
    /// <returns>Null, or the problem.</returns>
    public static Problem? Apply(IQueryCollection query, string name, Func<string, string, Problem?> set) =>
        (string?)query[name] is { } text ? set(name, text) : null;

    /// <summary>Reads the name of a format.</summary>
    /// <param name="parameter">The parameter's name.</param>
    /// <param name="text">Its value.</param>
    /// <param name="served">What the endpoint serves.</param>
    /// <param name="format">Receives the format; null where it is not served.</param>
    /// <returns>Null, or the problem.</returns>
    public static Problem? ReadFormat(
        string parameter, string text, IReadOnlyList<OutputChoice> served, out OutputFormat? format)
    {
        OutputFormat? named = text switch
        {
            "json" => OutputFormat.Json,
            "coco" => OutputFormat.Coco,
            "voc" => OutputFormat.Voc,
            "yolo" => OutputFormat.Yolo,
            "image" => OutputFormat.Image,
            _ => null,
        };
        format = served.Any(choice => choice.Format == named) ? named : null;
        if (format is not null)
        {
            return null;
        }

        var known = served.Select(choice => choice.Format).Distinct().Order();
        return Problem.BadParameter(
            parameter,
            $"'{text}' is not a format that is served here. Known: {string.Join(", ", known).ToLowerInvariant()}.");
    }

    /// <summary>Reads the number that names an image in COCO and VOC.</summary>
    /// <returns>Null, or the problem.</returns>
    public static Problem? ReadImageId(string parameter, string text, out long imageId) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out imageId)
            ? null
            : Problem.BadParameter(parameter, $"'{text}' is not a whole number from 0 to {long.MaxValue}.");
}
