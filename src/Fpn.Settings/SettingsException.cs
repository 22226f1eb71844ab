namespace Fpn.Settings;

/// <summary>The program cannot start with its settings.</summary>
/// <param name="message">One line: the setting or file that is wrong, the fault, and the remedy.</param>
/// <param name="innerException">The cause, if another exception reported it.</param>
internal sealed class SettingsException(string message, Exception? innerException = null)
    : Exception(message, innerException);
