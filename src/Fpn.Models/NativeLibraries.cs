using Fpn.Models.Options;

namespace Fpn.Models;

/// <summary>Native libraries come in packages that the program chooses, and may be missing.</summary>
/// <remarks>
/// The loader's own exception passes through everything internal. It becomes advice for programmers where their program
/// calls: in <see cref="Detector.Load"/>, and in the services of <c>AddFpnDetection</c>. The service and the tool call
/// elsewhere: they catch the loader's exception themselves, and word it for the people who installed them.
/// </remarks>
internal static class NativeLibraries
{
    /// <summary>Runs what touches a native library for the first time.</summary>
    /// <param name="load">Throws the loader's exception when a library is missing.</param>
    /// <exception cref="InvalidOptionException">The library is missing or cannot be used.</exception>
    public static T Require<T>(Func<T> load)
    {
        try
        {
            return load();
        }
        catch (Exception exception) when (Find(exception) is { } missing)
        {
            throw new InvalidOptionException(
                $"A native library cannot be loaded: {missing.Message.ReplaceLineEndings(" ")} The program must "
                + "reference Microsoft.ML.OnnxRuntime (or Microsoft.ML.OnnxRuntime.Gpu.Linux for CUDA) and the "
                + "NetVips.Native package of its platform.",
                exception);
        }
    }

    /// <summary>The loader's failure, which static constructors wrap.</summary>
    private static Exception? Find(Exception exception) => exception switch
    {
        DllNotFoundException or EntryPointNotFoundException or BadImageFormatException => exception,
        TypeInitializationException { InnerException: { } inner } => Find(inner),
        InvalidOperationException { InnerException: { } inner } => Find(inner),
        _ => null,
    };
}
