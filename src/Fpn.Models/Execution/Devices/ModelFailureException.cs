namespace Fpn.Models.Execution.Devices;

/// <summary>A model failed while it ran, or gave outputs of other shapes than its manifest promises.</summary>
/// <param name="message">Names the model's file and the tensor.</param>
/// <param name="innerException">What the runtime said, if it was the one that failed.</param>
public sealed class ModelFailureException(string message, Exception? innerException = null)
    : Exception(message, innerException);
