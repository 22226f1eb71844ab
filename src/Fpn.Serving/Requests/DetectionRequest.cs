using Fpn.Detection.Proposals;
using Fpn.Detection.Views;
using Fpn.Models.Detectors;

namespace Fpn.Serving.Requests;

/// <summary>One image and how to answer it: made at the door, read by every stage.</summary>
/// <param name="image">The bytes of an image file; must not change until the request is answered.</param>
public sealed class DetectionRequest(ReadOnlyMemory<byte> image)
{
    /// <summary>The bytes of an image file.</summary>
    public ReadOnlyMemory<byte> Image { get; } = image;

    /// <summary>Name of the model that answers, case-sensitive; null for the default model.</summary>
    /// <remarks>A door that needs the model earlier looks it up itself and passes its lane on.</remarks>
    public string? Model { get; init; }

    /// <summary>Which requests go first when several wait. Default: <see cref="RequestPriority.Normal"/>.</summary>
    public RequestPriority Priority { get; init; } = RequestPriority.Normal;

    /// <summary>Shortens the deadline; null, the default, keeps the configured one.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Which looks are taken at the image; null, the default, for those of the model's package, which are one
    /// look at the whole image unless it says otherwise.</summary>
    public ViewOptions? Views { get; init; }

    /// <summary>The caller does not want an answer any more: the request leaves the queue and ends with an
    /// <see cref="OperationCanceledException"/>.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>What the model is asked. All but detection take one look at the whole image and are for two-stage
    /// models; others refuse them as <see cref="FailureKind.NotTwoStage"/>.</summary>
    internal ImageTask Task { get; init; } = ImageTask.Detection;

    /// <summary>How many images its task is worth on the device: given regions may be as many as the proposals of
    /// several.</summary>
    /// <param name="own">The model's numbers.</param>
    internal int PlacesFor(ProposalOptions own) =>
        Task is RegionTask given ? 1 + (Math.Max(0, given.Boxes.Count - 1) / own.PostNmsTopN) : 1;

    /// <summary>Whether the result says how it came about. Two-stage models only; others refuse the request as
    /// <see cref="FailureKind.NotExplainable"/>.</summary>
    internal bool Explain { get; init; }

    /// <summary>Whether the answer is the picture itself, with boxes drawn: then a picture that would be read in parts
    /// is refused before anything looks at it.</summary>
    internal bool IsDrawn { get; init; }

    /// <summary>The service does not need the answer any more, though the caller is there: the request ends as
    /// <see cref="FailureKind.GivenUp"/>.</summary>
    internal CancellationToken GivenUp { get; init; }

    /// <summary>Called with the number of views once all of them have their places in the queue, before they are
    /// computed: from here on they cost the same whether they succeed or not.</summary>
    internal Action<int>? Admitted { get; init; }

    /// <summary>Time stamp of the image's last byte, from which its time counts; null to count from now.</summary>
    internal long? Arrived { get; init; }
}
