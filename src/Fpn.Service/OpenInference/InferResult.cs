using System.Globalization;
using System.Text.Json;
using Fpn.Service.Answers;
using Fpn.Service.Json;
using Fpn.Service.OpenInference.Outputs;
using Fpn.Service.Problems;
using Fpn.Service.Wire;

namespace Fpn.Service.OpenInference;

/// <summary>The answer to an inference request.</summary>
/// <param name="id">Id of the request, which is echoed; null when it has none.</param>
/// <param name="rows">What its images gave.</param>
/// <param name="outputs">The outputs to send, in this order.</param>
internal sealed class InferResult(string? id, OutputRows rows, IReadOnlyList<RequestedOutput> outputs) : IResult
{
    /// <inheritdoc/>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var summary = new BatchSummary(rows.Contract.Name, rows.Images);
        summary.Answered(rows.Count);
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
        json.WriteString("model_name"u8, rows.Contract.Name);
        json.WriteString("model_version"u8, rows.Contract.Version);
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
            json.WriteNumberValue(rows.Count);
            if (tensor.Width() > 1)
            {
                json.WriteNumberValue(tensor.Width());
            }

            json.WriteEndArray();
            if (isBinary)
            {
                json.WriteStartObject("parameters"u8);
                json.WriteNumber("binary_data_size"u8, rows.SizeOf(tensor));
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

    private void WriteData(Utf8JsonWriter json, OutputTensor tensor)
    {
        var numbers = new NumberJson(json);
        rows.Write(tensor, ref numbers);
    }

    private void WriteBinary(PooledBuffer buffer, OutputTensor tensor)
    {
        var size = rows.SizeOf(tensor);
        rows.WriteBytes(tensor, buffer.GetSpan(size));
        buffer.Advance(size);
    }
}
