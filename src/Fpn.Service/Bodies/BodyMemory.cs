using Fpn.Service.Engine;

namespace Fpn.Service.Bodies;

/// <summary>
/// Limits the memory of the bodies of all requests together; a request that would exceed it is refused.
/// </summary>
/// <remarks>
/// Requests are refused and do not wait: bodies that have half arrived would wait for each other. Thread-safe.
/// </remarks>
internal sealed class BodyMemory(LimitsOptions limits)
{
    private long _taken;

    /// <summary>Bytes in use.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Takes memory; <see cref="Return"/> must follow.</summary>
    /// <returns>False when too few bytes are left; nothing is taken.</returns>
    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _taken, bytes) <= limits.MaxBodyBytes)
        {
            return true;
        }

        Interlocked.Add(ref _taken, -bytes);
        return false;
    }

    /// <summary>Gives memory back.</summary>
    public void Return(long bytes) => Interlocked.Add(ref _taken, -bytes);
}
