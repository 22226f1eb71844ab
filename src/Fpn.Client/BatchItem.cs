using System.Diagnostics.CodeAnalysis;

namespace Fpn.Client;

/// <summary>The answer to one image of a batch: what was found, or why it failed.</summary>
public sealed record BatchItem
{
    /// <summary>What was found; null when the image failed.</summary>
    public DetectionResult? Result { get; init; }

    /// <summary>Why the image failed; null when it did not.</summary>
    public FpnProblem? Problem { get; init; }

    /// <summary>Whether there is a result.</summary>
    [MemberNotNullWhen(true, nameof(Result))]
    [MemberNotNullWhen(false, nameof(Problem))]
    public bool Succeeded => Result is not null;
}
