using Fpn.Models.Execution.Sessions;
using Microsoft.ML.OnnxRuntime;

namespace Fpn.Models.TwoStage;

/// <summary>What the head gave for a batch. Not thread-safe.</summary>
/// <param name="classLogits">[R, C + 1].</param>
/// <param name="boxDeltas">[R, 4K].</param>
/// <param name="owner">Freed with this object; null when the tensors stay for the next run.</param>
internal sealed class HeadOutputs(OrtValue classLogits, OrtValue boxDeltas, IDisposable? owner) : IDisposable
{
    // Opened when the first image is looked at, since float16 is converted then, which is no work for the device's
    // thread.
    private FloatTensor? _classLogits;
    private FloatTensor? _boxDeltas;

    /// <summary>Dimensions of the class logits.</summary>
    public long[] ClassLogitsShape => classLogits.GetTensorTypeAndShape().Shape;

    /// <summary>Dimensions of the box deltas.</summary>
    public long[] BoxDeltasShape => boxDeltas.GetTensorTypeAndShape().Shape;

    /// <summary>[R, C + 1] of all images of the batch.</summary>
    public ReadOnlySpan<float> ClassLogits =>
        (_classLogits ??= new FloatTensor(classLogits, GraphContract.ClassLogitsOutput)).Values;

    /// <summary>[R, 4K] of all images of the batch.</summary>
    public ReadOnlySpan<float> BoxDeltas =>
        (_boxDeltas ??= new FloatTensor(boxDeltas, GraphContract.BoxDeltasOutput)).Values;

    /// <inheritdoc/>
    public void Dispose()
    {
        _classLogits?.Dispose();
        _boxDeltas?.Dispose();
        owner?.Dispose();
    }
}
