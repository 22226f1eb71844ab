using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Fpn.Models.Execution.Devices;
using Microsoft.ML.OnnxRuntime;

namespace Fpn.Models.Execution.Sessions;

/// <summary>Facts about a loaded session that ONNX Runtime's C API offers and its C# API does not.</summary>
/// <remarks>
/// What the functions return belongs to the session.
/// </remarks>
internal static unsafe class SessionFacts
{
    /// <summary>Session option that <see cref="ReadNodes"/> needs: "1" when the session is made.</summary>
    /// <remarks>
    /// Always on: it costs no time to load that could be measured, and few megabytes a graph, if any (docs/inspect.md).
    /// </remarks>
    public const string RecordPlacement = "session.record_ep_graph_assignment_info";

    /// <summary>
    /// Place of <c>SessionGetOpsetForDomain</c> in the C API's <c>OrtModelEditorApi</c>, which C# has no type for.
    /// </summary>
    private const int GetOpsetPlace = 17;

    /// <summary>Which provider each node was given, for a session made with <see cref="RecordPlacement"/>.</summary>
    /// <exception cref="RuntimeMismatchException">This library of ONNX Runtime does not say.</exception>
    public static IReadOnlyList<PlacedNode> ReadNodes(InferenceSession session)
    {
        var api = NativeApi.Table();
        nint* subgraphs;
        nuint subgraphCount;
        Require(api, ((delegate* unmanaged<nint, nint**, nuint*, nint>)api->Session_GetEpGraphAssignmentInfo)(
            Handle(session), &subgraphs, &subgraphCount));
        var nodes = new List<PlacedNode>((int)subgraphCount);
        for (nuint i = 0; i < subgraphCount; i++)
        {
            var provider = Text(api, api->EpAssignedSubgraph_GetEpName, subgraphs[i]);
            nint* members;
            nuint memberCount;
            Require(api, ((delegate* unmanaged<nint, nint**, nuint*, nint>)api->EpAssignedSubgraph_GetNodes)(
                subgraphs[i], &members, &memberCount));
            for (nuint j = 0; j < memberCount; j++)
            {
                var domain = Text(api, api->EpAssignedNode_GetDomain, members[j]);
                var type = Text(api, api->EpAssignedNode_GetOperatorType, members[j]);
                nodes.Add(new PlacedNode(
                    Text(api, api->EpAssignedNode_GetName, members[j]),
                    domain is "" or "ai.onnx" ? type : $"{domain}.{type}",
                    provider));
            }
        }

        GC.KeepAlive(session);
        return nodes;
    }

    /// <summary>The version of ONNX's own operators that the graph was written for; null where it uses none.</summary>
    public static int? ReadOpset(InferenceSession session)
    {
        var api = NativeApi.Table();
        var editor = (nint*)((delegate* unmanaged<nint>)api->GetModelEditorApi)();
        if (editor is null)
        {
            return null;
        }

        byte onnxDomain = 0;
        int opset;
        var status = ((delegate* unmanaged<nint, byte*, int*, nint>)editor[GetOpsetPlace])(
            Handle(session), &onnxDomain, &opset);
        GC.KeepAlive(session);
        if (status == 0)
        {
            return opset;
        }

        _ = NativeApi.TakeMessage(api, status);
        return null;
    }

    /// <summary>A string that a function gives of an object.</summary>
    private static string Text(OrtApi* api, nint function, nint of)
    {
        byte* text;
        Require(api, ((delegate* unmanaged<nint, byte**, nint>)function)(of, &text));
        return Marshal.PtrToStringUTF8((nint)text) ?? string.Empty;
    }

    private static void Require(OrtApi* api, nint status)
    {
        if (status != 0)
        {
            throw new RuntimeMismatchException(
                $"ONNX Runtime does not say where its nodes run: {NativeApi.TakeMessage(api, status)}");
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Handle")]
    private static extern nint Handle(InferenceSession session);
}
