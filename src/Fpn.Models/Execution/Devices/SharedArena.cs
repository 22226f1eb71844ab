using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Fpn.Models.Options;
using Microsoft.ML.OnnxRuntime;

namespace Fpn.Models.Execution.Devices;

/// <summary>
/// One pool of a GPU's memory for all sessions of the process: what one leaves free the next one uses. Without it each
/// session keeps a pool of its own, and a session for each shape would keep the memory of all shapes together.
/// </summary>
/// <remarks>
/// Sessions use it that have the entry <see cref="UseIt"/>. Through the C API, since the C# API cuts sizes to 32 bits.
/// Source: ONNX Runtime, <c>CreateAndRegisterAllocatorV2</c> and <c>CreateArenaCfgV2</c>.
/// </remarks>
internal static unsafe class SharedArena
{
    /// <summary>Session option: "1" takes registered allocators instead of the session's own.</summary>
    public const string UseIt = "session.use_env_allocators";

    private const string CudaProviderName = "CUDAExecutionProvider";

    private static readonly Lock Gate = new();
    private static readonly HashSet<int> Registered = [];

    /// <summary>Makes the pool of a GPU; the first call for a GPU decides, later ones change nothing.</summary>
    /// <param name="deviceId">Which GPU.</param>
    /// <param name="memory">Memory of that GPU.</param>
    /// <param name="limit">Bytes that it may hold; 0 for no limit.</param>
    /// <param name="strategy">How it grows.</param>
    /// <exception cref="ModelFailureException">ONNX Runtime refuses it.</exception>
    public static void Register(int deviceId, OrtMemoryInfo memory, long limit, ArenaStrategy strategy)
    {
        lock (Gate)
        {
            if (Registered.Contains(deviceId))
            {
                return;
            }

            Register(CudaProviderName, memory, limit, strategy);
            Registered.Add(deviceId);
        }
    }

    /// <summary>Makes a pool for a provider's memory and registers it with the environment.</summary>
    internal static void Register(string provider, OrtMemoryInfo memory, long limit, ArenaStrategy strategy)
    {
        var api = NativeApi.Table();
        string[] names = ["max_mem", "arena_extend_strategy"];
        nuint[] values = [(nuint)limit, strategy == ArenaStrategy.SameAsRequested ? 1u : 0u];
        using var keys = new Utf8Names(names);
        nint arena;
        fixed (nint* firstKey = keys.Pointers)
        fixed (nuint* firstValue = values)
        {
            Require(api, ((delegate* unmanaged<nint*, nuint*, nuint, nint*, nint>)api->CreateArenaCfgV2)(
                firstKey, firstValue, (nuint)names.Length, &arena));
        }

        try
        {
            fixed (byte* name = Encoding.UTF8.GetBytes(provider + '\0'))
            {
                Require(api, ((delegate* unmanaged<nint, byte*, nint, nint, nint, nint, nuint, nint>)
                    api->CreateAndRegisterAllocatorV2)(
                        Handle(OrtEnv.Instance()), name, Pointer(memory), arena, 0, 0, 0));
            }

            GC.KeepAlive(memory);
        }
        finally
        {
            ((delegate* unmanaged<nint, void>)api->ReleaseArenaCfg)(arena);
        }
    }

    private static void Require(OrtApi* api, nint status)
    {
        if (status != 0)
        {
            throw new ModelFailureException(
                $"ONNX Runtime refuses a shared memory pool: {NativeApi.TakeMessage(api, status)}");
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Handle")]
    private static extern nint Handle(OrtEnv environment);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Pointer")]
    private static extern nint Pointer(OrtMemoryInfo memory);

    /// <summary>Names as C strings, freed with this object.</summary>
    private sealed class Utf8Names(IEnumerable<string> names) : IDisposable
    {
        public nint[] Pointers { get; } = [.. names.Select(Marshal.StringToCoTaskMemUTF8)];

        public void Dispose() => Array.ForEach(Pointers, Marshal.FreeCoTaskMem);
    }
}
