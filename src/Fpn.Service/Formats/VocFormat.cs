using System.Globalization;
using System.Text;
using System.Xml;
using Fpn.Detection.Geometry;
using Fpn.Service.Answers;

namespace Fpn.Service.Formats;

/// <summary>Writes a Pascal VOC annotation file.</summary>
/// <remarks>
/// Pixels are whole and counted from 1, and both edges belong to the box: xmin = ⌊x1⌋ + 1 is the first pixel that the
/// box touches and xmax = ⌈x2⌉ the last, clipped to the image. So xmin − 1 and xmax are the edges in continuous
/// coordinates, less than one pixel outside of the box. The element <c>score</c> is an addition that readers of VOC
/// files ignore.
/// </remarks>
internal static class VocFormat
{
    private static readonly XmlWriterSettings s_settings = new()
    {
        Encoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
        Indent = true,
        IndentChars = "\t",
        NewLineChars = "\n",
        OmitXmlDeclaration = true,
    };

    /// <summary>Writes the file.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="imageId">The file name that stands in the annotation.</param>
    /// <param name="output">Takes the file, UTF-8.</param>
    public static void Write(DetectionAnswer answer, long imageId, Stream output)
    {
        using var xml = XmlWriter.Create(output, s_settings);
        xml.WriteStartElement("annotation");
        xml.WriteElementString("folder", "images");
        xml.WriteElementString(
            "filename", string.Create(CultureInfo.InvariantCulture, $"{imageId}.{answer.FormatName}"));
        xml.WriteStartElement("source");
        xml.WriteElementString("database", Legal($"{answer.Contract.Name} {answer.Contract.Version}"));
        xml.WriteEndElement();
        xml.WriteStartElement("size");
        WriteNumber(xml, "width", answer.Size.Width);
        WriteNumber(xml, "height", answer.Size.Height);
        WriteNumber(xml, "depth", 3);
        xml.WriteEndElement();
        WriteNumber(xml, "segmented", 0);
        foreach (var detection in answer.Detections)
        {
            xml.WriteStartElement("object");
            xml.WriteElementString("name", Legal(answer.Contract.Labels[detection.Label]));
            xml.WriteElementString("pose", "Unspecified");
            WriteNumber(xml, "truncated", 0);
            WriteNumber(xml, "difficult", 0);
            xml.WriteElementString(
                "score", DetectionFilter.ReportedScore(detection).ToString(CultureInfo.InvariantCulture));
            WriteBox(xml, DetectionAnswer.Rounded(detection), answer.Size);
            xml.WriteEndElement();
        }

        xml.WriteEndElement();
    }

    private static void WriteBox(XmlWriter xml, BoxResponse box, ImageSize size)
    {
        var xmin = Math.Clamp((int)Math.Floor(box.X1) + 1, 1, size.Width);
        var ymin = Math.Clamp((int)Math.Floor(box.Y1) + 1, 1, size.Height);
        xml.WriteStartElement("bndbox");
        WriteNumber(xml, "xmin", xmin);
        WriteNumber(xml, "ymin", ymin);
        WriteNumber(xml, "xmax", Math.Clamp((int)Math.Ceiling(box.X2), xmin, size.Width));
        WriteNumber(xml, "ymax", Math.Clamp((int)Math.Ceiling(box.Y2), ymin, size.Height));
        xml.WriteEndElement();
    }

    private static void WriteNumber(XmlWriter xml, string name, int value) =>
        xml.WriteElementString(name, value.ToString(CultureInfo.InvariantCulture));

    /// <summary>Replaces characters that XML cannot hold by U+FFFD.</summary>
    private static string Legal(string text)
    {
        var legal = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (i + 1 < text.Length && XmlConvert.IsXmlSurrogatePair(text[i + 1], text[i]))
            {
                legal.Append(text, i++, 2);
            }
            else
            {
                legal.Append(XmlConvert.IsXmlChar(text[i]) ? text[i] : '\uFFFD');
            }
        }

        return legal.ToString();
    }
}
