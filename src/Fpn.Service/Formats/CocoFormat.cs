using System.Text.Json.Serialization;
using Fpn.Service.Answers;

namespace Fpn.Service.Formats;

/// <summary>One line of COCO's results format.</summary>
/// <param name="ImageId">The parameter <c>imageId</c>; in a batch plus the image's position.</param>
/// <param name="CategoryId">The detection's <c>classId</c>.</param>
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
    /// <summary>The array of one image, in the order of the answer.</summary>
    public static CocoResponse[] Convert(DetectionAnswer answer, long imageId)
    {
        var results = new CocoResponse[answer.Detections.Count];
        for (var i = 0; i < results.Length; i++)
        {
            var detection = answer.Detections[i];
            var box = DetectionAnswer.Rounded(detection);

            // Differences of rounded corners, rounded again because of binary fractions: x + width is x2.
            results[i] = new CocoResponse(
                imageId,
                answer.Contract.ClassIds[detection.Label],
                [box.X1, box.Y1, Math.Round(box.X2 - box.X1, 3), Math.Round(box.Y2 - box.Y1, 3)],
                DetectionFilter.ReportedScore(detection));
        }

        return results;
    }
}
