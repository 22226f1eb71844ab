using Fpn.Service.Engine;

namespace Fpn.Service.Bodies;

/// <summary>Bounds the bodies of all requests together: who would exceed it is refused.</summary>
/// <param name="limits">The most bytes.</param>
/// <remarks>
/// Refused, not made to wait: bodies that are half here would wait for each other. Thread-safe.
/// </remarks>
internal sealed class BodyMemory(LimitsOptions limits)
{
    private long _taken;

    /// <summary>Bytes that are taken.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>Takes memory; <see cref="Return"/> must follow.</summary>
    /// <returns>False when there is not so much left; nothing was taken.</returns>
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
