using System.Globalization;
using System.Text.Json;
using Fpn.Models.Detectors;
using Fpn.Models.Packages;
using Fpn.Service.Answers;
using Fpn.Service.Json;
using Fpn.Service.Problems;
using Fpn.Service.Wire;

namespace Fpn.Service.OpenInference;

/// <summary>The detections of the N images of a request, which are the answer.</summary>
/// <param name="contract">The model that found them.</param>
/// <param name="id">Id of the request, which is echoed; null when it has none.</param>
/// <param name="detections">[N], each in the order of the answer.</param>
/// <param name="outputs">The outputs to send, in this order.</param>
internal sealed class InferResult(
    ModelContract contract, string? id, DetectedObject[][] detections, IReadOnlyList<RequestedOutput> outputs) : IResult
{
    private readonly int _total = detections.Sum(image => image.Length);

    /// <inheritdoc/>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var summary = new BatchSummary(contract.Name, detections.Length);
        summary.Answered(_total);
        httpContext.Features.Set(summary);
        using var buffer = new PooledBuffer();
        WriteJson(buffer);
        var jsonLength = buffer.Length;
        var response = httpContext.Response;
        response.ContentType = "application/json";
        if (outputs.Any(output => output.IsBinary))
        {
            foreach (var output in outputs.Where(output => output.IsBinary))
            {
                WriteBinary(buffer, output.Tensor);
            }

            response.ContentType = "application/octet-stream";
            response.Headers[ApiHeaders.JsonLength] = jsonLength.ToString(CultureInfo.InvariantCulture);
        }

        response.ContentLength = buffer.Length;
        await response.Body.WriteAsync(buffer.Written, httpContext.RequestAborted);
    }

    private void WriteJson(PooledBuffer buffer)
    {
        using var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = ReadableEncoder.Instance });
        json.WriteStartObject();
        json.WriteString("model_name"u8, contract.Name);
        json.WriteString("model_version"u8, contract.Version);
        if (id is not null)
        {
            json.WriteString("id"u8, id);
        }

        json.WriteStartArray("outputs"u8);
        foreach (var (tensor, isBinary) in outputs)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, tensor.Name());
            json.WriteString("datatype"u8, tensor.Datatype());
            json.WriteStartArray("shape"u8);
            json.WriteNumberValue(_total);
            if (tensor.Width() > 1)
            {
                json.WriteNumberValue(tensor.Width());
            }

            json.WriteEndArray();
            if (isBinary)
            {
                json.WriteStartObject("parameters"u8);
                json.WriteNumber("binary_data_size"u8, SizeOf(tensor));
                json.WriteEndObject();
            }
            else
            {
                json.WriteStartArray("data"u8);
                WriteData(json, tensor);
                json.WriteEndArray();
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private int SizeOf(OutputTensor tensor) => _total * tensor.Width() * tensor.ElementSize();

    private void WriteData(Utf8JsonWriter json, OutputTensor tensor)
    {
        for (var i = 0; i < detections.Length; i++)
        {
            foreach (var detection in detections[i])
            {
                switch (tensor)
                {
                    case OutputTensor.Boxes:
                        json.WriteNumberValue(detection.Box.X1);
                        json.WriteNumberValue(detection.Box.Y1);
                        json.WriteNumberValue(detection.Box.X2);
                        json.WriteNumberValue(detection.Box.Y2);
                        break;
                    case OutputTensor.Scores:
                        json.WriteNumberValue(detection.Score);
                        break;
                    case OutputTensor.Labels:
                        json.WriteNumberValue(contract.ClassIds[detection.Label]);
                        break;
                    default:
                        json.WriteNumberValue(i);
                        break;
                }
            }
        }
    }

    private void WriteBinary(PooledBuffer buffer, OutputTensor tensor)
    {
        var size = SizeOf(tensor);
        OutputBytes.Write(buffer.GetSpan(size), tensor, detections, contract);
        buffer.Advance(size);
    }
}
