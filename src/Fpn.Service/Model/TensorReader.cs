using System.Buffers;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Fpn.Service.Model;

/// <summary>Reads a float output: in place when it is float32, through a pooled copy when it is float16.</summary>
internal readonly ref struct TensorReader : IDisposable
{
    private readonly float[]? _rented;

    /// <summary>Opens a tensor.</summary>
    /// <param name="tensor">float32 or float16; must outlive this reader.</param>
    /// <param name="name">Its name, for messages.</param>
    /// <exception cref="ModelFailureException">It has another element type.</exception>
    public TensorReader(OrtValue tensor, string name)
    {
        var info = tensor.GetTensorTypeAndShape();
        Shape = info.Shape;
        switch (info.ElementDataType)
        {
            // An empty tensor has no buffer to look at.
            case TensorElementType.Float or TensorElementType.Float16 when info.ElementCount == 0:
                Values = [];
                break;
            case TensorElementType.Float:
                Values = tensor.GetTensorDataAsSpan<float>();
                break;
            case TensorElementType.Float16:
                var halves = MemoryMarshal.Cast<Float16, Half>(tensor.GetTensorDataAsSpan<Float16>());
                _rented = ArrayPool<float>.Shared.Rent(halves.Length);
                TensorPrimitives.ConvertToSingle(halves, _rented);
                Values = _rented.AsSpan(0, halves.Length);
                break;
            default:
                throw new ModelFailureException($"Output '{name}' must be float32 or float16; it is {info.ElementDataType}.");
        }
    }

    /// <summary>Dimensions.</summary>
    public long[] Shape { get; }

    /// <summary>Row-major values.</summary>
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
