using Fpn.Models.Options;

namespace Fpn.Models;

/// <summary>Native libraries come in packages that the program chooses, and may be missing.</summary>
internal static class NativeLibraries
{
    /// <summary>Does what touches a native library for the first time.</summary>
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
