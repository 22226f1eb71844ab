using System.Globalization;
using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;
using Fpn.Models.Detectors;
using Fpn.Models.Packages;
using Fpn.Serving.Requests;

namespace Fpn.Service.Answers;

/// <summary>
/// The answer about one image, independent of the format: the filter is applied, and numbers are rounded in one way.
/// </summary>
internal sealed class DetectionAnswer
{
    /// <summary>Creates an answer.</summary>
    /// <param name="contract">The model that answers.</param>
    /// <param name="result">A success.</param>
    /// <param name="detections">Those of its detections that are answered, in the order of the answer.</param>
    internal DetectionAnswer(ModelContract contract, DetectionResult result, IReadOnlyList<DetectedObject> detections)
    {
        Contract = contract;
        Size = result.Size;
        Format = result.Format;
        Detections = detections;
        BatchSize = result.BatchSize;
        Views = result.HasViews ? result.ViewCount : null;
        var times = result.Times;
        Timings = new TimingsResponse(
            Milliseconds(times.Decode),
            Milliseconds(times.Preprocess),
            Milliseconds(times.Queue),
            Milliseconds(times.Inference),
            Milliseconds(times.Postprocess),
            Milliseconds(times.Total));
    }

    /// <summary>The model that answers.</summary>
    public ModelContract Contract { get; }

    /// <summary>The image as displayed.</summary>
    public ImageSize Size { get; }

    /// <summary>The format that it was sent in.</summary>
    public ImageFormat Format { get; }

    /// <summary>In the order of the answer.</summary>
    public IReadOnlyList<DetectedObject> Detections { get; }

    /// <summary>The explanation of the detections, if the query asked for it.</summary>
    public ExplanationResponse? Explanation { get; private init; }

    /// <summary>The proposals, best objectness first, where they were asked for alone; otherwise empty.</summary>
    public IReadOnlyList<ProposalResponse> Proposals { get; private init; } = [];

    /// <summary>What became of each box, where some were given; otherwise empty.</summary>
    public IReadOnlyList<RegionResponse> Regions { get; private init; } = [];

    /// <summary>How many of what was asked for were found.</summary>
    public int Found => Detections.Count + Proposals.Count + Regions.Count(region => region.Error is null);

    /// <summary>Times by stage.</summary>
    public TimingsResponse Timings { get; }

    /// <summary>Images in the batch that it ran in.</summary>
    public int BatchSize { get; }

    /// <summary>Views that were merged; null where one look was asked for.</summary>
    public int? Views { get; }

    /// <summary>The value of <c>Server-Timing</c>.</summary>
    public string ServerTiming => string.Create(
        CultureInfo.InvariantCulture,
        $"decode;dur={Timings.DecodeMs}, preprocess;dur={Timings.PreprocessMs}, queue;dur={Timings.QueueMs}, "
        + $"inference;dur={Timings.InferenceMs}, postprocess;dur={Timings.PostprocessMs}, "
        + $"total;dur={Timings.TotalMs}");

    /// <summary>Creates an answer from the detections that pass a filter.</summary>
    /// <param name="contract">The model.</param>
    /// <param name="filter">Which detections are answered.</param>
    /// <param name="result">A success.</param>
    public static DetectionAnswer Create(ModelContract contract, DetectionFilter filter, DetectionResult result) =>
        new(contract, result, [.. filter.Apply(result.Detections)])
        {
            Explanation = result.Explanation is { } found ? ExplanationResponse.Create(found, filter) : null,
        };

    /// <summary>Creates an answer to a request that asks one stage alone.</summary>
    /// <param name="contract">The model.</param>
    /// <param name="task">What was asked.</param>
    /// <param name="result">A success.</param>
    public static DetectionAnswer Create(ModelContract contract, ImageTask task, DetectionResult result) =>
        new(contract, result, [])
        {
            Proposals = [.. (result.Proposals ?? []).Select(ProposalResponse.Create)],
            Regions = task is not RegionTask asked ? [] :
            [
                .. asked.Boxes.Zip(result.Regions!, (box, region) => region is null
                    ? new RegionResponse { Error = RegionTask.FindFault(box, result.Size) }
                    : RegionResponse.Create(contract, region)),
            ],
        };

    /// <summary>The name of a format in answers and logs: jpeg, png, webp, gif, tiff or avif.</summary>
    public string FormatName => Format.ToString().ToLowerInvariant();

    private ImageResponse Image => new(Size.Width, Size.Height, FormatName);

    /// <summary>A box as every format reports it: three decimals.</summary>
    public static BoxResponse Rounded(DetectedObject detection) => BoxResponse.FromBox(detection.Box);

    /// <summary>The body in the format <c>json</c>.</summary>
    public DetectionResponse ToResponse() => new(
        Contract.Name,
        Contract.Version,
        Image,
        [.. Detections.Select(detection => new DetectedObjectResponse(
            Contract.Labels[detection.Label],
            Contract.ClassIds[detection.Label],
            DetectionFilter.ReportedScore(detection),
            Rounded(detection),
            detection.Level))],
        Timings,
        BatchSize)
    {
        Views = Views,
        Explain = Explanation,
    };

    /// <summary>The body of <c>/proposals</c> in the format <c>json</c>.</summary>
    public ProposalsResponse ToProposals() => new(
        Contract.Name, Contract.Version, Image, Proposals, Timings, BatchSize);

    /// <summary>The body of <c>/regions</c>.</summary>
    public RegionsResponse ToRegions() => new(
        Contract.Name, Contract.Version, Image, Regions, Timings, BatchSize);

    private static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 3);
}
