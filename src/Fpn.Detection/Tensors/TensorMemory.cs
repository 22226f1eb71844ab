namespace Fpn.Detection.Tensors;

/// <summary>Rented memory of a tensor: it never moves, and disposing returns it.</summary>
/// <remarks>Keep this object referenced while <see cref="Address"/> is in use. Thread-safe.</remarks>
public abstract class TensorMemory : IDisposable
{
    private nint _address;

    /// <param name="address">The first byte; not 0.</param>
    /// <param name="length">Bytes that may be used; at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The address is 0, or the length is less than 1.</exception>
    protected TensorMemory(nint address, long length)
    {
        ArgumentOutOfRangeException.ThrowIfZero(address);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        _address = address;
        Length = length;
    }

    /// <summary>The first byte.</summary>
    /// <exception cref="ObjectDisposedException">The memory was returned.</exception>
    public nint Address
    {
        get
        {
            var address = Volatile.Read(ref _address);
            ObjectDisposedException.ThrowIf(address == 0, this);
            return address;
        }
    }

    /// <summary>Bytes that may be used; at least as many as requested.</summary>
    public long Length { get; }

    /// <summary>Returns the memory; later calls do nothing.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _address, 0) != 0)
        {
            Release();
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Returns the memory; called once, by the first <see cref="Dispose"/>, on its thread.</summary>
    protected abstract void Release();
}
