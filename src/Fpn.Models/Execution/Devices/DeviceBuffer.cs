using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Fpn.Models.Execution.Devices;

/// <summary>Memory for tensors, on the device or beside it; views of it are what graphs read and write.</summary>
/// <remarks>To be disposed after every view of it, and when no run uses it.</remarks>
internal sealed class DeviceBuffer : IDisposable
{
    private readonly OrtMemoryAllocation _allocation;
    private readonly OrtMemoryInfo _memory;

    /// <summary>Allocates.</summary>
    /// <param name="allocator">Where.</param>
    /// <param name="memory">What ONNX Runtime takes it for.</param>
    /// <param name="length">Bytes; less than 4 GiB, which is ONNX Runtime's limit for one piece.</param>
    /// <exception cref="ModelFailureException">There is not so much memory.</exception>
    public DeviceBuffer(OrtAllocator allocator, OrtMemoryInfo memory, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (length > uint.MaxValue)
        {
            throw new ModelFailureException(
                $"A tensor of {length} bytes is more than one piece of memory may have, 4 GiB.");
        }

        try
        {
            _allocation = allocator.Allocate((uint)Math.Max(1, length));
        }
        catch (OnnxRuntimeException exception)
        {
            throw new ModelFailureException($"{length} bytes of memory cannot be had: {exception.Message}", exception);
        }

        _memory = memory;
        Length = length;
    }

    /// <summary>Bytes.</summary>
    public long Length { get; }

    /// <summary>Where it begins; an address of the device's when it lies there.</summary>
    public nint Address => _allocation.DangerousGetHandle();

    /// <summary>Looks at its beginning as a tensor.</summary>
    /// <param name="type">float32 or float16, say.</param>
    /// <param name="shape">The tensor's; it must fit.</param>
    /// <returns>The caller disposes it.</returns>
    public OrtValue View(TensorElementType type, long[] shape) =>
        OrtValue.CreateTensorValueWithData(_memory, type, shape, Address, Length);

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            _allocation.Dispose();
        }
        catch (OnnxRuntimeException)
        {
            // A lost device takes no page-locked memory back: that is freed when the process ends, the rest here.
            _allocation.SetHandleAsInvalid();
        }
    }
}
