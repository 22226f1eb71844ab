using Fpn.Service.Answers;
using Fpn.Service.OpenInference;

namespace Fpn.Service.OpenInferenceGrpc;

/// <summary>A request that was read in full.</summary>
/// <param name="filter">Which detections are reported.</param>
internal sealed class InferQuery(DetectionFilter filter)
{
    /// <summary>[N] encoded images, parts of the message.</summary>
    public ReadOnlyMemory<byte>[] Images { get; set; } = [];

    /// <summary>The outputs to send, in this order; empty for those of detections.</summary>
    public List<WantedOutput> Outputs { get; } = [];

    /// <summary>Priority, deadline, filter; and whether outputs are raw: unless the request says otherwise.</summary>
    public InferChoices Choices { get; } = new(filter) { BinaryOutputs = true };
}

/// <summary>The fields of a request that say who is asked.</summary>
/// <param name="Model">Name of the model.</param>
/// <param name="Version">The version; null for the newest.</param>
/// <param name="Id">Echoed in the answer; empty when the request has none.</param>
internal sealed record InferAddress(string Model, string? Version, string Id);
