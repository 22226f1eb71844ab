namespace Fpn.Models.Execution.Devices;

/// <summary>The ONNX Runtime library that was found lacks a function that this program needs.</summary>
/// <param name="message">One line: what is missing.</param>
internal sealed class RuntimeMismatchException(string message) : Exception(message);
