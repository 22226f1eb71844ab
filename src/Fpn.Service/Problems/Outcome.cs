using System.Diagnostics.CodeAnalysis;

namespace Fpn.Service.Problems;

/// <summary>A value, or the problem that stands in its place.</summary>
/// <typeparam name="T">Type of the value.</typeparam>
internal readonly struct Outcome<T>
    where T : class
{
    private readonly T? _value;
    private readonly Problem? _problem;

    private Outcome(T? value, Problem? problem)
    {
        _value = value;
        _problem = problem;
    }

    public static implicit operator Outcome<T>(T value) => new(value, null);

    public static implicit operator Outcome<T>(Problem problem) => new(null, problem);

    /// <summary>Takes the outcome apart: true with the value, false with the problem.</summary>
    public bool Succeeded([NotNullWhen(true)] out T? value, [NotNullWhen(false)] out Problem? problem)
    {
        value = _value;
        problem = value is null ? _problem ?? throw new InvalidOperationException("An outcome was never set.") : null;
        return value is not null;
    }
}
