namespace Fpn.Models.Packages;

/// <summary>A model package cannot be used.</summary>
/// <param name="message">One line: which file and key is wrong, and what it should be.</param>
/// <param name="innerException">The cause, if another exception reported it.</param>
public sealed class ModelPackageException(string message, Exception? innerException = null)
    : Exception(message, innerException);
