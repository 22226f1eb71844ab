namespace Fpn.Serving.Lanes;

/// <summary>A model was loaded, but fails when it is tried.</summary>
/// <param name="message">One line: the model's name, the failure, and a remedy.</param>
/// <param name="innerException">The cause.</param>
internal sealed class ModelNotServedException(string message, Exception innerException)
    : Exception(message, innerException);
