using System.Globalization;
using Fpn.Service.Batching;
using Fpn.Service.Model;

namespace Fpn.Service.Api;

/// <summary>The query of <c>/detect</c>, checked against the model that it names, which it holds until it is disposed.</summary>
internal sealed class DetectQuery : IDisposable
{
    private static readonly string[] Names = ["model", "scoreThreshold", "maxDetections", "labels", "format"];

    private readonly LaneUse _use;

    private DetectQuery(LaneUse use) => _use = use;

    /// <summary>The model that answers, with all that stands before it.</summary>
    public ModelLane Lane => _use.Lane;

    /// <summary>What the model promises.</summary>
    public ModelContract Contract => Lane.Model.Contract;

    /// <summary>Scores at least this are kept, compared as they are reported.</summary>
    public double ScoreThreshold { get; private set; }

    /// <summary>At most this many detections are kept.</summary>
    public int MaxDetections { get; private set; } = int.MaxValue;

    /// <summary>For each label of the model whether it is kept; null keeps all.</summary>
    public bool[]? Labels { get; private set; }

    /// <summary>Reads the query.</summary>
    /// <returns>The query, which the caller disposes, or the problem that names the first wrong parameter.</returns>
    public static Outcome<DetectQuery> Parse(IQueryCollection query, LaneRegistry lanes)
    {
        foreach (var (name, values) in query)
        {
            if (Array.IndexOf(Names, name) < 0)
            {
                return Problem.BadParameter(name, $"The parameter '{name}' is unknown. Known: {string.Join(", ", Names)}.");
            }

            if (values.Count != 1)
            {
                return Problem.BadParameter(name, $"The parameter '{name}' is given {values.Count} times; give it once.");
            }
        }

        var modelName = (string?)query["model"] ?? lanes.DefaultModel;
        if (!lanes.TryTake(modelName, out var use))
        {
            return Problem.UnknownModel(modelName, lanes.Names);
        }

        var parsed = new DetectQuery(use);
        if (parsed.Read(query) is { } problem)
        {
            parsed.Dispose();
            return problem;
        }

        return parsed;
    }

    /// <inheritdoc/>
    public void Dispose() => _use.Dispose();

    /// <summary>The score as it is reported: five decimals.</summary>
    public static double ReportedScore(DetectedObject detection) => Math.Round((double)detection.Score, 5);

    /// <summary>Puts detections in the order of the answer, then applies threshold, count and labels, in this order.</summary>
    /// <param name="detections">Best first.</param>
    /// <remarks>Reported scores decide, so that a score taken from an answer is a threshold that its detection passes, and
    /// so that equal ones stand in the promised order. The sort is stable: proposal order stays.</remarks>
    public IEnumerable<DetectedObject> Filter(IReadOnlyList<DetectedObject> detections) => detections
        .OrderByDescending(ReportedScore)
        .ThenBy(detection => Contract.ClassIds[detection.Label])
        .TakeWhile(detection => ReportedScore(detection) >= ScoreThreshold)
        .Take(MaxDetections)
        .Where(detection => Labels is null || Labels[detection.Label]);

    private Problem? Read(IQueryCollection query)
    {
        if ((string?)query["scoreThreshold"] is { } threshold)
        {
            // Written so that NaN fails.
            if (!(double.TryParse(threshold, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= 0 && value <= 1))
            {
                return Problem.BadParameter("scoreThreshold", $"'{threshold}' is not a number from 0 to 1.");
            }

            ScoreThreshold = value;
        }

        if ((string?)query["maxDetections"] is { } most)
        {
            // More than fit into a number are as good as no limit.
            var isNumber = most.Length > 0 && most.All(char.IsAsciiDigit);
            var value = int.TryParse(most, NumberStyles.None, CultureInfo.InvariantCulture, out var fits) ? fits : int.MaxValue;
            if (!isNumber || value < 1)
            {
                return Problem.BadParameter("maxDetections", $"'{most}' is not a whole number of at least 1.");
            }

            MaxDetections = value;
        }

        if ((string?)query["format"] is { } format && format != "json")
        {
            return Problem.BadParameter("format", $"'{format}' is not a format that is served here. Known: json.");
        }

        return (string?)query["labels"] is { } labels ? KeepLabels(labels) : null;
    }

    private Problem? KeepLabels(string labels)
    {
        var known = Contract.Labels;
        Labels = new bool[known.Count];
        foreach (var label in labels.Split(',', StringSplitOptions.TrimEntries))
        {
            var found = false;
            for (var i = 0; i < known.Count; i++)
            {
                if (known[i] == label)
                {
                    found = Labels[i] = true;
                }
            }

            if (!found)
            {
                return Problem.BadParameter("labels", $"'{label}' is not a label of the model '{Contract.Name}'. Known: {string.Join(", ", known)}.");
            }
        }

        return null;
    }
}
