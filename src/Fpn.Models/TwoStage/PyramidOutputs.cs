using Microsoft.ML.OnnxRuntime;

namespace Fpn.Models.TwoStage;

/// <summary>
/// What the backbone gave for a batch: features, which may lie on the device, and objectness and deltas, which do not.
/// </summary>
/// <param name="tensors">In the order of <see cref="GraphContract.BackboneOutputs"/>.</param>
/// <param name="owner">Freed with this object; null when the tensors stay for the next run.</param>
internal sealed class PyramidOutputs(IReadOnlyList<OrtValue> tensors, IDisposable? owner) : IDisposable
{
    /// <summary>One of them.</summary>
    public OrtValue this[int index] => tensors[index];

    /// <inheritdoc/>
    public void Dispose() => owner?.Dispose();
}
