using System.Text.Json.Serialization;
using Fpn.Service.Answers;

namespace Fpn.Service.Formats;

/// <summary>One line of COCO's results format.</summary>
/// <param name="ImageId">The parameter <c>imageId</c>; in a batch plus the image's position.</param>
/// <param name="CategoryId">The detection's <c>classId</c>; 1 for proposals, which have no class.</param>
/// <param name="Bbox">x, y, width, height in pixels: upper left corner, then the size; three decimals.</param>
/// <param name="Score">0 to 1, five decimals.</param>
/// <remarks>Names as in COCO's own files.</remarks>
internal sealed record CocoResponse(
    [property: JsonPropertyName("image_id")] long ImageId,
    [property: JsonPropertyName("category_id")] int CategoryId,
    [property: JsonPropertyName("bbox")] IReadOnlyList<double> Bbox,
    [property: JsonPropertyName("score")] double Score);

/// <summary>Converts answers to COCO's results array (cocodataset.org, "Results Format").</summary>
internal static class CocoFormat
{
    /// <summary>The category of boxes that have no class, as in COCO's results of proposals.</summary>
    private const int AnyCategory = 1;

    /// <summary>The array of one image, in the order of the answer.</summary>
    public static CocoResponse[] Convert(DetectionAnswer answer, long imageId)
    {
        var results = new CocoResponse[answer.Detections.Count];
        for (var i = 0; i < results.Length; i++)
        {
            var detection = answer.Detections[i];
            results[i] = new CocoResponse(
                imageId,
                answer.Contract.ClassIds[detection.Label],
                Bbox(DetectionAnswer.Rounded(detection)),
                DetectionFilter.ReportedScore(detection));
        }

        return results;
    }

    /// <summary>The array of one image's proposals, whose score is their objectness.</summary>
    public static CocoResponse[] ConvertProposals(DetectionAnswer answer, long imageId) =>
    [
        .. answer.Proposals.Select(proposal => new CocoResponse(
            imageId, AnyCategory, Bbox(proposal.Box), proposal.Objectness)),
    ];

    // Differences of rounded corners, rounded again because of binary fractions: x + width is x2.
    private static double[] Bbox(BoxResponse box) =>
        [box.X1, box.Y1, Math.Round(box.X2 - box.X1, 3), Math.Round(box.Y2 - box.Y1, 3)];
}
