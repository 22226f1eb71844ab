using System.Globalization;
using Fpn.Detection.Views;
using Fpn.Models.Packages;
using Fpn.Service.Problems;

namespace Fpn.Service.Views;

/// <summary>Which looks a request takes at its images: the same parameters for every protocol. What it does not say is
/// as the model's package has it.</summary>
/// <param name="contract">The model that looks.</param>
internal sealed class ViewChoices(ModelContract contract)
{
    private const string Off = "off";

    private ViewOptions _options = contract.Views;
    private bool _isSet;

    /// <summary>Names of the parameters.</summary>
    public static IReadOnlyList<string> Names { get; } =
        ["slice", "overlap", "wholeImage", "scales", "flip", "merge", "mergeThreshold"];

    /// <summary>What was chosen; null where the request does not say anything.</summary>
    public ViewOptions? Options => _isSet ? _options : null;

    /// <summary>Sets one parameter.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="path">Its name in the client's request.</param>
    /// <param name="text">Its value.</param>
    /// <returns>Null, or the problem.</returns>
    public Problem? Set(string name, string path, string text)
    {
        var options = name switch
        {
            "slice" => SetSlice(text),
            "overlap" => Number(text, ViewOptions.LargestOverlap) is { } overlap
                ? _options with { Overlap = overlap }
                : null,
            "wholeImage" => Boolean(text) is { } whole ? _options with { WholeImage = whole } : null,
            "scales" => SetScales(text),
            "flip" => Boolean(text) is { } flip ? _options with { Flip = flip } : null,
            "merge" => SetMerge(text),
            "mergeThreshold" => Number(text, 1) is { } threshold
                ? _options with { MergeThreshold = threshold }
                : null,
            _ => throw new ArgumentException($"'{name}' is not a parameter of views.", nameof(name)),
        };
        if (options is null)
        {
            return Problem.BadParameter(path, $"'{text}' is not valid: {Rule(name)}.");
        }

        (_options, _isSet) = (options, true);
        return null;
    }

    private static string Rule(string name) => name switch
    {
        "slice" => $"it {ViewOptions.SliceRule}, or off",
        "overlap" => string.Create(
            CultureInfo.InvariantCulture, $"it must be a number from 0 to {ViewOptions.LargestOverlap}"),
        "scales" => $"it {ViewOptions.ScalesRule}, separated by commas, or off",
        "merge" => "it must be nms, voting or ios",
        "mergeThreshold" => "it must be a number from 0 to 1",
        _ => "it must be true or false",
    };

    private ViewOptions? SetSlice(string text) =>
        text == Off ? _options with { Slice = null }
        : ViewOptions.TryParseSlice(text, out var slice) ? _options with { Slice = slice }
        : null;

    private ViewOptions? SetScales(string text)
    {
        if (text == Off)
        {
            return _options with { Scales = [] };
        }

        // Counted before they are read: the text may be long.
        var parts = text.Split(',', ViewOptions.MostScales + 1);
        var scales = new int[parts.Length];
        for (var i = 0; i < scales.Length; i++)
        {
            if (i == ViewOptions.MostScales || !ViewOptions.TryParseSide(parts[i], out scales[i]))
            {
                return null;
            }
        }

        return _options with { Scales = scales };
    }

    private ViewOptions? SetMerge(string text) => text switch
    {
        "nms" => _options with { Merge = MergeMethod.Nms },
        "voting" => _options with { Merge = MergeMethod.Voting },
        "ios" => _options with { Merge = MergeMethod.Ios },
        _ => null,
    };

    private static double? Number(string text, double largest) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        && number >= 0
        && number <= largest
            ? number
            : null;

    // Python writes True and False.
    private static bool? Boolean(string text) => text switch
    {
        "true" or "True" => true,
        "false" or "False" => false,
        _ => null,
    };
}
