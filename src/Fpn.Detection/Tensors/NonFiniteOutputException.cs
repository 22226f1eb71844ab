namespace Fpn.Detection.Tensors;

/// <summary>A model's output holds NaN or infinity, so that detections would be meaningless.</summary>
/// <param name="tensor">The output's name, such as <c>objectness_p3</c>.</param>
/// <param name="index">Position of the first such value in the part of the tensor that was read.</param>
/// <param name="value">The value found: NaN or an infinity.</param>
public sealed class NonFiniteOutputException(string tensor, int index, float value)
    : Exception($"The model's output '{tensor}' holds {value} at position {index}: it must be finite everywhere.")
{
    /// <summary>The output's name, such as <c>objectness_p3</c>.</summary>
    public string Tensor { get; } = tensor;
}
