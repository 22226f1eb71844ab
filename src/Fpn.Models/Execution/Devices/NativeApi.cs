using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Fpn.Models.Execution.Devices;

/// <summary>ONNX Runtime's C API, for the little that its C# API does not offer.</summary>
/// <remarks>
/// The functions are looked up in the table that the C# API works with, too: <see cref="OrtApi"/> has their places, and
/// the table only ever grows at its end.
/// </remarks>
internal static unsafe partial class NativeApi
{
    /// <summary>The version that brought the last function that is used here.</summary>
    private const uint Version = 24;

    /// <summary>The table of functions.</summary>
    /// <exception cref="RuntimeMismatchException">This library of ONNX Runtime is too old.</exception>
    public static OrtApi* Table()
    {
        var api = ((delegate* unmanaged<uint, OrtApi*>)OrtGetApiBase()->GetApi)(Version);
        return api is not null ? api : throw new RuntimeMismatchException(
            $"ONNX Runtime {OnnxEnvironment.Version} is too old: use 1.{Version} or later.");
    }

    /// <summary>What a failed call says; frees the status.</summary>
    /// <param name="api">The table.</param>
    /// <param name="status">Not 0.</param>
    public static string TakeMessage(OrtApi* api, nint status)
    {
        var message = Marshal.PtrToStringUTF8(((delegate* unmanaged<nint, nint>)api->GetErrorMessage)(status));
        ((delegate* unmanaged<nint, void>)api->ReleaseStatus)(status);
        return (message ?? string.Empty).ReplaceLineEndings(" ");
    }

    [LibraryImport("onnxruntime")]
    private static partial OrtApiBase* OrtGetApiBase();
}
