using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Fpn.Service.Configuration;
using Microsoft.ML.OnnxRuntime;

namespace Fpn.Service.Model.Execution;

/// <summary>What ONNX Runtime's C API tells about a loaded session and its C# API does not.</summary>
/// <remarks>
/// The functions are looked up in the table that the C# API works with, too: <see cref="OrtApi"/> has their places, and
/// the table only ever grows at its end. What they return belongs to the session, but for the status.
/// </remarks>
internal static unsafe partial class SessionFacts
{
    /// <summary>Session option that <see cref="ReadNodes"/> needs: "1" when the session is made.</summary>
    /// <remarks>
    /// Always on: it costs no time to load that could be measured, and at most about 1 MB a graph (docs/inspect.md).
    /// </remarks>
    public const string RecordPlacement = "session.record_ep_graph_assignment_info";

    /// <summary>The version of the C API that brought the functions for placement.</summary>
    private const uint ApiVersion = 24;

    /// <summary>
    /// Place of <c>SessionGetOpsetForDomain</c> in the C API's <c>OrtModelEditorApi</c>, which C# has no type for.
    /// </summary>
    private const int GetOpsetPlace = 17;

    /// <summary>Which provider each node was given, for a session made with <see cref="RecordPlacement"/>.</summary>
    /// <exception cref="SettingsException">This library of ONNX Runtime does not tell.</exception>
    public static IReadOnlyList<PlacedNode> ReadNodes(InferenceSession session)
    {
        var api = Api();
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
        var api = Api();
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

        Release(api, status);
        return null;
    }

    private static OrtApi* Api()
    {
        var api = ((delegate* unmanaged<uint, OrtApi*>)OrtGetApiBase()->GetApi)(ApiVersion);
        return api is not null ? api : throw new SettingsException(
            $"ONNX Runtime {OnnxEnvironment.Version} does not tell where its nodes run: use 1.{ApiVersion} or later.");
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
            var message = Marshal.PtrToStringUTF8(((delegate* unmanaged<nint, nint>)api->GetErrorMessage)(status));
            Release(api, status);
            throw new SettingsException($"ONNX Runtime does not tell where its nodes run: {message}");
        }
    }

    private static void Release(OrtApi* api, nint status) =>
        ((delegate* unmanaged<nint, void>)api->ReleaseStatus)(status);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_Handle")]
    private static extern nint Handle(InferenceSession session);

    [LibraryImport("onnxruntime")]
    private static partial OrtApiBase* OrtGetApiBase();
}
