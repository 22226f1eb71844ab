using System.Buffers;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Fpn.Models.Execution.Devices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Fpn.Models.Execution.Sessions;

/// <summary>
/// A float output that the CPU can read: in place when it is float32, as a pooled copy when it is float16.
/// </summary>
internal sealed class FloatTensor : IDisposable
{
    private readonly OrtValue _tensor;
    private readonly int _start;
    private readonly int _length;
    private float[]? _converted;

    /// <summary>Opens a tensor.</summary>
    /// <param name="tensor">float32 or float16; must outlive this object.</param>
    /// <param name="name">Its name, for messages.</param>
    /// <param name="part">Which of <paramref name="parts"/> equal parts is read: an image of a batch.</param>
    /// <param name="parts">Images in the batch; 1 reads it all.</param>
    /// <exception cref="ModelFailureException">It has another element type.</exception>
    public FloatTensor(OrtValue tensor, string name, int part = 0, int parts = 1)
    {
        var info = tensor.GetTensorTypeAndShape();
        _tensor = tensor;
        Shape = info.Shape;
        _length = (int)(info.ElementCount / parts);
        _start = part * _length;
        if (info.ElementDataType is not (TensorElementType.Float or TensorElementType.Float16))
        {
            throw new ModelFailureException(
                $"Output '{name}' must be float32 or float16; it is {info.ElementDataType}.");
        }

        if (info.ElementDataType == TensorElementType.Float16 && _length > 0)
        {
            var halves = MemoryMarshal.Cast<Float16, Half>(tensor.GetTensorDataAsSpan<Float16>());
            _converted = ArrayPool<float>.Shared.Rent(_length);
            TensorPrimitives.ConvertToSingle(halves.Slice(_start, _length), _converted);
        }
    }

    /// <summary>Dimensions of the whole tensor.</summary>
    public long[] Shape { get; }

    /// <summary>Row-major values of the part.</summary>
    public ReadOnlySpan<float> Values =>

        // An empty tensor has no buffer to look at.
        _length == 0 ? []
            : _converted is { } converted ? converted.AsSpan(0, _length)
            : _tensor.GetTensorDataAsSpan<float>().Slice(_start, _length);

    /// <summary>Bytes that a value of a float tensor takes: 2 for float16, else 4.</summary>
    public static int BytesPerValue(TensorElementType type) => type == TensorElementType.Float16 ? 2 : 4;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _converted, null) is { } converted)
        {
            ArrayPool<float>.Shared.Return(converted);
        }
    }
}
