using Fpn.Models.Execution.Sessions;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Fpn.Models.TwoStage;

/// <summary>A row of an output with one row for each RoI.</summary>
/// <param name="Type">float32 or float16.</param>
/// <param name="Columns">Values in it.</param>
internal readonly record struct TensorRow(TensorElementType Type, int Columns)
{
    /// <summary>Bytes in it.</summary>
    public long RowBytes => (long)Columns * FloatTensor.BytesPerValue(Type);
}
