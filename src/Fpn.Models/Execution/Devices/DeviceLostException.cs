namespace Fpn.Models.Execution.Devices;

/// <summary>The device that a model runs on failed: the session is of no use any more, a new one may be.</summary>
/// <param name="message">What the runtime said.</param>
/// <param name="innerException">Where it came from.</param>
public sealed class DeviceLostException(string message, Exception? innerException = null)
    : Exception(message, innerException);
