using Fpn.Models.Detectors;
using Fpn.Models.Packages;
using Fpn.Service.Problems;

namespace Fpn.Service.Answers;

/// <summary>Which detections of a model are reported, and in which order: the same for every protocol.</summary>
/// <param name="contract">The model that detects.</param>
internal sealed class DetectionFilter(ModelContract contract)
{
    private double _scoreThreshold;
    private int _maxDetections = int.MaxValue;

    // For each label of the model whether it is kept; null keeps all.
    private bool[]? _labels;

    /// <summary>The model that detects.</summary>
    public ModelContract Contract => contract;

    /// <summary>The score as it is reported: five decimals.</summary>
    public static double ReportedScore(DetectedObject detection) => Math.Round((double)detection.Score, 5);

    /// <summary>Keeps reported scores of at least this.</summary>
    /// <param name="parameter">Its name in the client's request.</param>
    /// <param name="text">A number from 0 to 1.</param>
    /// <returns>Null, or the problem.</returns>
    public Problem? SetScoreThreshold(string parameter, string text) =>
        NumberText.ReadFraction(parameter, text, out _scoreThreshold);

    /// <summary>Keeps at most so many detections, the best.</summary>
    /// <param name="parameter">Its name in the client's request.</param>
    /// <param name="text">A whole number of at least 1, however large.</param>
    /// <returns>Null, or the problem.</returns>
    public Problem? SetMaxDetections(string parameter, string text) =>
        NumberText.ReadLimit(parameter, text, out _maxDetections);

    /// <summary>Keeps only some labels, and those that were named before.</summary>
    /// <param name="parameter">Its name in the client's request.</param>
    /// <param name="text">Names, separated by commas; or one name that holds some.</param>
    /// <returns>Null, or the problem.</returns>
    public Problem? KeepLabels(string parameter, string text)
    {
        var names = text.Split(',', StringSplitOptions.TrimEntries);
        if (names.Length > 1 && !names.All(contract.Labels.Contains) && contract.Labels.Contains(text))
        {
            names = [text];
        }

        return names.Select(name => KeepLabel(parameter, name)).FirstOrDefault(problem => problem is not null);
    }

    /// <summary>Keeps a label, and those that were named before.</summary>
    /// <param name="parameter">Its name in the client's request.</param>
    /// <param name="name">Its name, as the model has it.</param>
    /// <returns>Null, or the problem.</returns>
    public Problem? KeepLabel(string parameter, string name)
    {
        var known = contract.Labels;
        _labels ??= new bool[known.Count];
        var found = false;
        for (var i = 0; i < known.Count; i++)
        {
            if (known[i] == name)
            {
                found = _labels[i] = true;
            }
        }

        return found
            ? null
            : Problem.BadParameter(
                parameter,
                $"'{name}' is not a label of the model '{contract.Name}'. Known: {string.Join(", ", known)}.");
    }

    /// <summary>
    /// Puts detections in the order of the answer, then applies threshold, count and labels, in this order.
    /// </summary>
    /// <param name="detections">Best first.</param>
    /// <remarks>
    /// Reported scores decide, so that a detection passes a threshold that is taken from its own answer, and so that
    /// equal scores stand in the promised order. The sort is stable: proposal order stays.
    /// </remarks>
    public IEnumerable<DetectedObject> Apply(IReadOnlyList<DetectedObject> detections) =>
        Apply(detections, detection => detection);

    /// <summary>The same for items that hold a detection each.</summary>
    /// <param name="items">Best first.</param>
    /// <param name="of">The detection of an item.</param>
    public IEnumerable<T> Apply<T>(IReadOnlyList<T> items, Func<T, DetectedObject> of) => items
        .OrderByDescending(item => ReportedScore(of(item)))
        .ThenBy(item => contract.ClassIds[of(item).Label])
        .TakeWhile(item => ReportedScore(of(item)) >= _scoreThreshold)
        .Take(_maxDetections)
        .Where(item => _labels is null || _labels[of(item).Label]);
}
