namespace Fpn.Detection.Tensors;

/// <summary>Rented memory of a tensor: it stays where it is, and goes back when it is disposed.</summary>
/// <remarks>Whoever uses <see cref="Address"/> keeps this object referenced meanwhile. Thread-safe.</remarks>
public abstract class TensorMemory : IDisposable
{
    private nint _address;

    /// <param name="address">The first byte; not 0.</param>
    /// <param name="length">Bytes that may be used; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not as said.</exception>
    protected TensorMemory(nint address, long length)
    {
        ArgumentOutOfRangeException.ThrowIfZero(address);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        _address = address;
        Length = length;
    }

    /// <summary>The first byte.</summary>
    /// <exception cref="ObjectDisposedException">The memory went back.</exception>
    public nint Address
    {
        get
        {
            var address = Volatile.Read(ref _address);
            ObjectDisposedException.ThrowIf(address == 0, this);
            return address;
        }
    }

    /// <summary>Bytes that may be used; at least as many as were asked for.</summary>
    public long Length { get; }

    /// <summary>Hands the memory back; later calls do nothing.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _address, 0) != 0)
        {
            Release();
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Hands the memory back; called once, by the first <see cref="Dispose"/>, on its thread.</summary>
    protected abstract void Release();
}
