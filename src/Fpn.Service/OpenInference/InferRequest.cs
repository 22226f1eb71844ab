using Fpn.Models.Detectors;
using Fpn.Service.Answers;
using Fpn.Service.Json;
using Fpn.Service.OpenInference.Outputs;
using Fpn.Service.Stages;
using Fpn.Service.Views;
using Fpn.Serving.Requests;

namespace Fpn.Service.OpenInference;

/// <summary>The JSON of an inference request; only offsets refer to the body.</summary>
internal sealed class InferRequest
{
    /// <summary>Echoed in the answer; null when none was given.</summary>
    public string? Id { get; set; }

    /// <summary>
    /// N, the first and only dimension of the input <c>image</c>; at least 1 once the request is read.
    /// </summary>
    public int Count { get; set; }

    /// <summary>Bytes of the input after the JSON; null when the JSON holds the data.</summary>
    public long? BinarySize { get; set; }

    /// <summary>The elements of <c>data</c>, row-major; empty when <see cref="BinarySize"/> is set.</summary>
    public List<Base64Text> Data { get; } = [];

    /// <summary>The outputs to send, in this order.</summary>
    public IReadOnlyList<RequestedOutput> Outputs { get; set; } = [];

    /// <summary>Priority, deadline and filter.</summary>
    public required InferChoices Choices { get; init; }
}

/// <summary>The choices that the parameters of a request make, besides its headers.</summary>
/// <param name="filter">Which detections are reported.</param>
internal sealed class InferChoices(DetectionFilter filter)
{
    /// <summary>Which detections are reported.</summary>
    public DetectionFilter Filter { get; } = filter;

    /// <summary>Which looks are taken at each image.</summary>
    public ViewChoices Views { get; } = new(filter.Contract);

    /// <summary>How proposals are chosen, where they are asked for.</summary>
    public ProposalChoices Proposals => field ??= new(Filter.Contract);

    /// <summary>Whether outputs of proposals are asked for, and not of detections.</summary>
    public bool WantsProposals { get; set; }

    /// <summary>The first parameter that has a meaning for detections only; null when there is none.</summary>
    public string? ForDetections { get; set; }

    /// <summary>The first parameter that has a meaning for proposals only; null when there is none.</summary>
    public string? ForProposals { get; set; }

    /// <summary>What the model is asked about each image.</summary>
    public ImageTask Task => WantsProposals ? new ProposalTask(Proposals.Options) : ImageTask.Detection;

    /// <summary>The priority; null when the parameters have none.</summary>
    public RequestPriority? Priority { get; set; }

    /// <summary>Shortens the deadline; null when the parameters have none.</summary>
    public TimeSpan? Timeout { get; set; }

    /// <summary>Whether outputs are sent as binary by default.</summary>
    public bool BinaryOutputs { get; set; }
}

/// <summary>An output to send.</summary>
/// <param name="Tensor">The output.</param>
/// <param name="IsBinary">Whether it is sent after the JSON, not in it.</param>
internal readonly record struct RequestedOutput(OutputTensor Tensor, bool IsBinary);
