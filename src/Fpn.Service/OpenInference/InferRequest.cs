using Fpn.Service.Answers;
using Fpn.Serving.Requests;

namespace Fpn.Service.OpenInference;

/// <summary>What the JSON of an inference request says; only offsets refer to the body.</summary>
internal sealed class InferRequest
{
    /// <summary>Echoed in the answer; null when none was given.</summary>
    public string? Id { get; set; }

    /// <summary>N, the first and only dimension of the input <c>image</c>; 0 or less is refused before.</summary>
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

/// <summary>What the parameters of a request choose, beside what the headers say.</summary>
/// <param name="filter">Which detections are answered.</param>
internal sealed class InferChoices(DetectionFilter filter)
{
    /// <summary>Which detections are answered.</summary>
    public DetectionFilter Filter { get; } = filter;

    /// <summary>Who goes first; null when the parameters do not say.</summary>
    public RequestPriority? Priority { get; set; }

    /// <summary>Shortens the deadline; null when the parameters do not say.</summary>
    public TimeSpan? Timeout { get; set; }

    /// <summary>Whether outputs that do not say are sent as binary.</summary>
    public bool BinaryOutputs { get; set; }
}

/// <summary>A JSON string that holds base64, by its place in the body.</summary>
/// <param name="Start">Of its first character.</param>
/// <param name="Length">Bytes between the quotes.</param>
/// <param name="IsEscaped">Whether it holds a backslash.</param>
internal readonly record struct Base64Text(int Start, int Length, bool IsEscaped);

/// <summary>An output to send.</summary>
/// <param name="Tensor">Which.</param>
/// <param name="IsBinary">After the JSON, not in it.</param>
internal readonly record struct RequestedOutput(OutputTensor Tensor, bool IsBinary);
