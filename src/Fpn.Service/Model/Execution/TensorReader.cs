using System.Buffers;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Fpn.Service.Model.Execution;

/// <summary>Reads a float output: in place when it is float32, through a pooled copy when it is float16.</summary>
internal readonly ref struct TensorReader : IDisposable
{
    private readonly float[]? _rented;

    /// <summary>Opens a tensor.</summary>
    /// <param name="tensor">float32 or float16; must outlive this reader.</param>
    /// <param name="name">Its name, for messages.</param>
    /// <param name="part">Which of <paramref name="parts"/> equal parts is read: an image of a batch.</param>
    /// <param name="parts">Images in the batch; 1 reads it all.</param>
    /// <exception cref="ModelFailureException">It has another element type.</exception>
    public TensorReader(OrtValue tensor, string name, int part = 0, int parts = 1)
    {
        var info = tensor.GetTensorTypeAndShape();
        Shape = info.Shape;
        var length = (int)(info.ElementCount / parts);
        switch (info.ElementDataType)
        {
            // An empty tensor has no buffer to look at.
            case TensorElementType.Float or TensorElementType.Float16 when info.ElementCount == 0:
                Values = [];
                break;
            case TensorElementType.Float:
                Values = tensor.GetTensorDataAsSpan<float>().Slice(part * length, length);
                break;
            case TensorElementType.Float16:
                var halves = MemoryMarshal.Cast<Float16, Half>(tensor.GetTensorDataAsSpan<Float16>()).Slice(part * length, length);
                _rented = ArrayPool<float>.Shared.Rent(halves.Length);
                TensorPrimitives.ConvertToSingle(halves, _rented);
                Values = _rented.AsSpan(0, halves.Length);
                break;
            default:
                throw new ModelFailureException($"Output '{name}' must be float32 or float16; it is {info.ElementDataType}.");
        }
    }

    /// <summary>Dimensions of the whole tensor.</summary>
    public long[] Shape { get; }

    /// <summary>Row-major values of the part.</summary>
    public ReadOnlySpan<float> Values { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_rented is not null)
        {
            ArrayPool<float>.Shared.Return(_rented);
        }
    }
}
