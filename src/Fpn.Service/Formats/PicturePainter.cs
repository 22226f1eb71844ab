using System.Globalization;
using Fpn.Imaging.Painting;
using Fpn.Service.Answers;
using Fpn.Service.Problems;
using Fpn.Serving.Pipeline;
using Fpn.Serving.Requests;

namespace Fpn.Service.Formats;

/// <summary>Turns an answer into the format <c>image</c>.</summary>
internal sealed class PicturePainter(PaintingPipeline painting)
{
    /// <summary>The largest side that the JPEG library encodes, in pixels.</summary>
    private const int LargestJpegSide = 65_500;

    /// <summary>Draws the boxes, labels and scores.</summary>
    /// <param name="answer">What was found.</param>
    /// <param name="request">The image that it was found in.</param>
    /// <param name="encoding">PNG or JPEG.</param>
    /// <returns>The picture, which the caller disposes, or the problem.</returns>
    /// <exception cref="OperationCanceledException">The caller went away.</exception>
    public async Task<Outcome<EncodedPicture>> PaintAsync(
        DetectionAnswer answer, DetectionRequest request, PictureEncoding encoding)
    {
        if (encoding == PictureEncoding.Jpeg && Math.Max(answer.Size.Width, answer.Size.Height) > LargestJpegSide)
        {
            return Problem.NotAcceptable(
                $"The image is {answer.Size.Width} x {answer.Size.Height} pixels; a JPEG has {LargestJpegSide} a side "
                + "at most. Accept image/png.");
        }

        var painted = await painting.PaintAsync(request, Objects(answer), encoding);
        return painted.Succeeded ? painted.Value : FailureProblems.ProblemFor(painted.Failure);
    }

    private static PaintedObject[] Objects(DetectionAnswer answer)
    {
        var objects = new PaintedObject[answer.Detections.Count];
        for (var i = 0; i < objects.Length; i++)
        {
            var detection = answer.Detections[i];
            var caption = string.Create(
                CultureInfo.InvariantCulture, $"{answer.Contract.Labels[detection.Label]} {detection.Score:F2}");
            objects[i] = new PaintedObject(detection.Box, caption, detection.Label);
        }

        return objects;
    }
}
