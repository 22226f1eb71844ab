using Fpn.Imaging.Decoding;
using Fpn.Service.Annotations;
using Fpn.Service.Json;
using Fpn.Service.Problems;

namespace Fpn.Service.Compatibility.Door;

/// <summary>The failures that every contract's detection may answer with, for the OpenAPI document.</summary>
internal static class ContractProblems
{
    /// <summary>Examples of them.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="decoder">Says what it refuses.</param>
    public static TBuilder WithDetectionProblems<TBuilder>(this TBuilder endpoint, ImageDecoder decoder)
        where TBuilder : IEndpointConventionBuilder => endpoint.WithMetadata(new ProblemsMetadata(
            JsonBody.NotUtf8(),
            Problem.UnknownModel("pets", ["everyday", "blood-cells"]),
            Problem.BodyTooSlow(),
            Problem.BatchTooLarge(256L << 20),
            FailureExamples.TooManyPixels(decoder),
            FailureExamples.UnsupportedImageFormat(decoder),
            FailureExamples.UndecodableImage(),
            Problem.InternalError(),
            FailureExamples.QueueFull(),
            FailureExamples.ShuttingDown(),
            FailureExamples.DeviceLost(),
            FailureExamples.DeadlinePassed()));
}
