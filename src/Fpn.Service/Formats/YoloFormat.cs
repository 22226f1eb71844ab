using System.Buffers;
using System.Globalization;
using System.Text.Unicode;
using Fpn.Service.Answers;

namespace Fpn.Service.Formats;

/// <summary>Writes a line a detection: <c>class cx cy w h score</c>, separated by spaces.</summary>
/// <remarks>
/// The class is the label's position in the model's labels, counted from 0; center and size are parts of the image's
/// width and height. Nine decimals at most keep boxes within 0.01 pixels in images of up to ten million pixels a side.
/// </remarks>
internal static class YoloFormat
{
    /// <summary>Six decimals, as is usual in these files, and up to three more that are not 0.</summary>
    private const string Fraction = "0.000000###";

    private const int LongestLine = 128;

    /// <summary>Writes the file; it is empty when nothing was found.</summary>
    public static void Write(DetectionAnswer answer, IBufferWriter<byte> output)
    {
        double width = answer.Size.Width, height = answer.Size.Height;
        foreach (var detection in answer.Detections)
        {
            var box = DetectionAnswer.Rounded(detection);
            var (cx, cy) = (Part((box.X1 + box.X2) / 2, width), Part((box.Y1 + box.Y2) / 2, height));
            var (w, h) = (Part(box.X2 - box.X1, width), Part(box.Y2 - box.Y1, height));
            var line = output.GetSpan(LongestLine);
            var fits = Utf8.TryWrite(
                line,
                CultureInfo.InvariantCulture,
                $"{detection.Label} {cx} {cy} {w} {h} {DetectionFilter.ReportedScore(detection)}\n",
                out var written);
            if (!fits)
            {
                throw new InvalidOperationException($"A line is longer than {LongestLine} bytes.");
            }

            output.Advance(written);
        }
    }

    private static string Part(double pixels, double side) =>
        (pixels / side).ToString(Fraction, CultureInfo.InvariantCulture);
}
