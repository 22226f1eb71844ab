namespace Fpn.Settings;

/// <summary>The service cannot start as it was configured; the message is one line that names the setting or the file.</summary>
/// <param name="message">What is wrong, where, and what to do.</param>
/// <param name="innerException">What it was found by, if anything.</param>
internal sealed class SettingsException(string message, Exception? innerException = null) : Exception(message, innerException);
