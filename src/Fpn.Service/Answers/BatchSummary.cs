using Fpn.Service.Problems;

namespace Fpn.Service.Answers;

/// <summary>The outcomes of the images of one request, for the log.</summary>
/// <param name="model">The model that answered.</param>
/// <param name="images">Images that were sent.</param>
internal sealed class BatchSummary(string model, int images)
{
    private readonly List<Problem> _problems = [];

    /// <summary>The model that answered.</summary>
    public string Model { get; } = model;

    /// <summary>Images that were sent.</summary>
    public int Images { get; } = images;

    /// <summary>The problems of the images that failed.</summary>
    public IReadOnlyList<Problem> Problems => _problems;

    /// <summary>Detections in the other images.</summary>
    public int Detections { get; private set; }

    /// <summary>
    /// The problems counted by type, such as <c>queue-full 2, undecodable-image 1</c>; empty without problems.
    /// </summary>
    public string Failures => string.Join(", ", _problems
        .GroupBy(problem => problem.Type)
        .OrderBy(group => group.Key, StringComparer.Ordinal)
        .Select(group => $"{group.Key} {group.Count()}"));

    /// <summary>Counts an image that succeeded.</summary>
    public void Answered(int detections) => Detections += detections;

    /// <summary>Counts an image that failed.</summary>
    public void Refused(Problem problem) => _problems.Add(problem);
}
