using System.Buffers;
using System.Text.Json;
using Fpn.Service.Answers;
using Fpn.Service.Problems;

namespace Fpn.Service.Formats;

/// <summary>Writes an answer in the formats that are text.</summary>
internal static class AnswerText
{
    /// <summary>The body of <c>/detect</c>.</summary>
    /// <param name="format">Any but <see cref="OutputFormat.Image"/>.</param>
    /// <param name="answer">What was found.</param>
    /// <param name="imageId">What COCO and VOC name the image.</param>
    public static ReadOnlyMemory<byte> Body(OutputFormat format, DetectionAnswer answer, long imageId)
    {
        if (format == OutputFormat.Voc)
        {
            using var stream = new MemoryStream();
            VocFormat.Write(answer, imageId, stream);
            return stream.GetBuffer().AsMemory(0, (int)stream.Length);
        }

        var output = new ArrayBufferWriter<byte>();
        if (format == OutputFormat.Yolo)
        {
            YoloFormat.Write(answer, output);
        }
        else
        {
            WriteElement(format, answer, imageId, output);
        }

        return output.WrittenMemory;
    }

    /// <summary>The same as a JSON value: formats that are JSON as they are, others as a string.</summary>
    public static void WriteElement(
        OutputFormat format, DetectionAnswer answer, long imageId, IBufferWriter<byte> output)
    {
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = ReadableEncoder.Instance });
        switch (format)
        {
            case OutputFormat.Json:
                JsonSerializer.Serialize(json, answer.ToResponse(), AnswerJsonContext.Readable.DetectionResponse);
                break;
            case OutputFormat.Coco:
                JsonSerializer.Serialize(
                    json, CocoFormat.Of(answer, imageId), FormatJsonContext.Readable.CocoResponseArray);
                break;
            default:
                json.WriteStringValue(Body(format, answer, imageId).Span);
                break;
        }
    }
}
