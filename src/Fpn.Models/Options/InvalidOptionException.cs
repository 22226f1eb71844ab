namespace Fpn.Models.Options;

/// <summary>An option has a value that cannot be used here, or contradicts another one.</summary>
/// <param name="message">One line: which setting is wrong, and what it should be.</param>
/// <param name="innerException">The cause, if another exception reported it.</param>
public sealed class InvalidOptionException(string message, Exception? innerException = null)
    : Exception(message, innerException);
