using System.Reflection;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Fpn.Serving.Lanes;
using Fpn.Settings;

namespace Fpn.Tool.Commands;

/// <summary>Says in one line why a start failed.</summary>
internal static class StartFailure
{
    /// <summary>The reason, for a person who set the service up.</summary>
    /// <param name="exception">What ended the start.</param>
    /// <returns>One line. For an unexpected exception it names the type, since the message alone may say
    /// little.</returns>
    public static string Reason(Exception exception)
    {
        // What fails inside a type's or an object's making arrives wrapped, and the wrapping says nothing.
        while (exception is TypeInitializationException or TargetInvocationException or AggregateException
            && exception.InnerException is { } inner)
        {
            exception = inner;
        }

        // The advice in such a message is for programmers who build on the libraries.
        if (exception is InvalidOptionException && MissingLibrary(exception) is { } missing)
        {
            exception = missing;
        }

        var lines = exception.Message.Split(
            '\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return exception switch
        {
            // Written for the person who set the service up.
            SettingsException or InvalidOptionException or ModelPackageException or ModelNotServedException
                or RuntimeMismatchException => string.Join(' ', lines),

            // The lines after the first list the places where it was looked for.
            DllNotFoundException => $"a native library is missing: {lines[0]}",
            IOException or UnauthorizedAccessException => string.Join(' ', lines),
            _ => $"{exception.GetType().Name}: {string.Join(' ', lines)}",
        };
    }

    private static DllNotFoundException? MissingLibrary(Exception? exception)
    {
        while (exception is not (null or DllNotFoundException))
        {
            exception = exception.InnerException;
        }

        return exception as DllNotFoundException;
    }
}
