using System.Reflection;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Fpn.Serving.Lanes;
using Fpn.Settings;

namespace Fpn.Tool.Commands;

/// <summary>Says in one line why a start failed, to the person who installed or configured the program.</summary>
internal static class StartFailure
{
    /// <summary>Describes what ended a start.</summary>
    /// <param name="exception">What ended it.</param>
    /// <returns>One line. It names the type of an unexpected exception, since the message alone may say
    /// little.</returns>
    public static string Describe(Exception exception)
    {
        // Static constructors, reflection and tasks wrap what fails in them, and the wrapping says nothing.
        while (exception is TypeInitializationException or TargetInvocationException or AggregateException
            && exception.InnerException is { } inner)
        {
            exception = inner;
        }

        var lines = exception.Message.Split(
            '\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return exception switch
        {
            // Their messages are written for this reader.
            SettingsException or InvalidOptionException or ModelPackageException or ModelNotServedException
                or RuntimeMismatchException or IOException or UnauthorizedAccessException => string.Join(' ', lines),

            // The lines after the first list the places where the loader looked.
            DllNotFoundException => $"a native library is missing: {lines[0]}",
            _ => $"{exception.GetType().Name}: {string.Join(' ', lines)}",
        };
    }
}
