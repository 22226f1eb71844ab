namespace Fpn.Service.Compatibility.Doods;

/// <summary>How sure the model must be of objects, by their label.</summary>
internal sealed class DoodsThresholds
{
    /// <summary>Stands for every label that is not named.</summary>
    private const string AnyLabel = "*";

    private readonly Dictionary<string, double> _percent = new(StringComparer.Ordinal);

    /// <summary>Sets the threshold of a label, or of <c>*</c>.</summary>
    /// <param name="label">The label.</param>
    /// <param name="percent">The least confidence, in percent.</param>
    public void Set(string label, double percent) => _percent[label] = percent;

    /// <summary>Whether an object is kept; one whose label has no threshold, not even by <c>*</c>, is not.</summary>
    /// <param name="label">Its label.</param>
    /// <param name="percent">Its confidence, in percent.</param>
    public bool Keep(string label, double percent) =>
        (_percent.TryGetValue(label, out var least) || _percent.TryGetValue(AnyLabel, out least)) && percent >= least;
}
