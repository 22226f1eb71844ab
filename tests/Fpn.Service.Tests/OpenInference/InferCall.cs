using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Fpn.Service.Tests.OpenInference;

/// <summary>Makes and sends inference requests, byte by byte where the protocol says what the bytes are.</summary>
internal static class InferCall
{
    /// <summary>The header that says where the JSON ends.</summary>
    public const string LengthName = "Inference-Header-Content-Length";

    private const string Infer = "v2/models/blood-cells/infer";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A JSON request for images as base64.</summary>
    /// <param name="images">The elements.</param>
    /// <param name="more">Members after <c>inputs</c>, such as <c>, "id": "1"</c>.</param>
    public static string Json(byte[][] images, string more = "") =>
        $$"""{"inputs": [{{Input(images.Length, $"\"data\": [{Base64(images)}]")}}]{{more}}}""";

    /// <summary>The images as JSON strings.</summary>
    public static string Base64(params byte[][] images) =>
        string.Join(", ", images.Select(image => $"\"{Convert.ToBase64String(image)}\""));

    /// <summary>The input <c>image</c>.</summary>
    /// <param name="count">N.</param>
    /// <param name="member">The member that holds or announces the data.</param>
    private static string Input(int count, string member) =>
        $$"""{"name": "image", "shape": [{{count}}], "datatype": "BYTES", {{member}}}""";

    /// <summary>The JSON before binary data.</summary>
    /// <param name="count">N.</param>
    /// <param name="size">Bytes that follow.</param>
    /// <param name="more">Members after <c>inputs</c>.</param>
    public static string BinaryJson(int count, long size, string more = "") =>
        $$"""{"inputs": [{{Input(count, $"\"parameters\": {{ \"binary_data_size\": {size} }}")}}]{{more}}}""";

    /// <summary>
    /// The binary form of a BYTES tensor: each element's length, 4 bytes little-endian, and the element.
    /// </summary>
    public static byte[] Binary(params byte[][] images)
    {
        using var body = new MemoryStream();
        var length = new byte[4];
        foreach (var image in images)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(length, (uint)image.Length);
            body.Write(length);
            body.Write(image);
        }

        return body.ToArray();
    }

    /// <summary>Sends JSON alone.</summary>
    public static Task<HttpResponseMessage> PostInferAsync(this HttpClient client, string json, string path = Infer) =>
        client.PostInferAsync(Encoding.UTF8.GetBytes(json), null, path, ("Content-Type", "application/json"));

    /// <summary>Sends JSON and what follows it, as the header tells.</summary>
    public static Task<HttpResponseMessage> PostInferAsync(
        this HttpClient client, string json, byte[] binary, string path = Infer) =>
        client.PostInferAsync(
            [.. Encoding.UTF8.GetBytes(json), .. binary],
            Encoding.UTF8.GetByteCount(json).ToString(CultureInfo.InvariantCulture),
            path);

    /// <summary>Sends images in the binary form.</summary>
    public static Task<HttpResponseMessage> PostBinaryAsync(this HttpClient client, byte[][] images, string more = "")
    {
        var binary = Binary(images);
        return client.PostInferAsync(BinaryJson(images.Length, binary.Length, more), binary);
    }

    /// <summary>Sends a body as it is.</summary>
    /// <param name="client">Whose base address is the service's.</param>
    /// <param name="body">The body.</param>
    /// <param name="length">Value of the length's header; null leaves it out.</param>
    /// <param name="path">Where to.</param>
    /// <param name="headers">Further headers.</param>
    public static async Task<HttpResponseMessage> PostInferAsync(
        this HttpClient client, byte[] body, string? length, string path =
            Infer, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        if (length is not null)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(LengthName, length));
        }

        foreach (var (name, value) in headers)
        {
            Assert.True(
                request.Headers.TryAddWithoutValidation(name, value) || request.Content.Headers.TryAddWithoutValidation(
                    name, value));
        }

        return await client.SendAsync(request, Cancel);
    }

    /// <summary>Asserts a failure in the protocol's form, and returns its text.</summary>
    public static async Task<string> ErrorAsync(this HttpResponseMessage response, HttpStatusCode status)
    {
        var text = await response.Content.ReadAsStringAsync(Cancel);
        Assert.True(response.StatusCode == status, $"Expected {(int)status}, got {(int)response.StatusCode}: {text}");
        Assert.Equal("application/json", response.Content.Headers.ContentType?.ToString());
        var member = Assert.Single(JsonDocument.Parse(text).RootElement.EnumerateObject());
        Assert.Equal("error", member.Name);
        var error = member.Value.GetString()!;
        Assert.NotEmpty(error);
        return error;
    }

    /// <summary>Asserts a success, and reads JSON and binary data.</summary>
    public static async Task<InferAnswer> ReadInferAsync(this HttpResponseMessage response)
    {
        var body = await response.Content.ReadAsByteArrayAsync(Cancel);
        Assert.True(
            response.StatusCode == HttpStatusCode.OK, $"{(int)response.StatusCode}: {Encoding.UTF8.GetString(body)}");
        Assert.Equal(body.Length, response.Content.Headers.ContentLength);
        int? length = response.Headers.TryGetValues(LengthName, out var values) ? int
            .Parse(Assert.Single(values), CultureInfo.InvariantCulture) : null;
        Assert.Equal(
            length is null ? "application/json" : "application/octet-stream",
            response.Content.Headers.ContentType?.ToString());
        var json = JsonDocument.Parse(body.AsMemory(0, length ?? body.Length)).RootElement;
        return new InferAnswer(json, body[(length ?? body.Length)..]);
    }

    /// <summary>Sends and reads JSON, for what must succeed.</summary>
    public static async Task<InferAnswer> InferAsync(this HttpClient client, string json)
    {
        using var response = await client.PostInferAsync(json);
        return await response.ReadInferAsync();
    }

    /// <summary>The body of a GET that must succeed.</summary>
    public static Task<JsonElement> GetJsonAsync(this HttpClient client, string path) =>
        client.GetFromJsonAsync<JsonElement>(path, Cancel);
}

/// <summary>An answer, read as the protocol says.</summary>
/// <param name="Json">Its JSON.</param>
/// <param name="Binary">What follows it.</param>
internal sealed record InferAnswer(JsonElement Json, byte[] Binary)
{
    /// <summary>Names of the outputs, in their order.</summary>
    public string[] Names =>
        [.. Json.GetProperty("outputs").EnumerateArray().Select(output => output.GetProperty("name").GetString()!)];

    /// <summary>Rows of all outputs.</summary>
    public int Count => Json.GetProperty("outputs")[0].GetProperty("shape")[0].GetInt32();

    /// <summary>An output's JSON object.</summary>
    public JsonElement Output(string name) =>
        Json.GetProperty("outputs").EnumerateArray().Single(output => output.GetProperty("name").GetString() == name);

    /// <summary>The numbers of an FP32 output, however they came.</summary>
    public float[] Floats(string name) => Numbers(name, "FP32", element => element.GetSingle());

    /// <summary>The numbers of an INT64 output, however they came.</summary>
    public long[] Integers(string name) => Numbers(name, "INT64", element => element.GetInt64());

    private T[] Numbers<T>(string name, string datatype, Func<JsonElement, T> read)
        where T : unmanaged
    {
        var output = Output(name);
        Assert.Equal(datatype, output.GetProperty("datatype").GetString());
        var shape =
            output.GetProperty("shape").EnumerateArray().Aggregate(1, (product, size) => product * size.GetInt32());
        T[] numbers;
        if (output.TryGetProperty("data", out var data))
        {
            Assert.False(output.TryGetProperty("parameters", out _));
            numbers = [.. data.EnumerateArray().Select(read)];
        }
        else
        {
            var start = 0;
            var earlierOutputs = Json.GetProperty("outputs").EnumerateArray()
                .TakeWhile(output => output.GetProperty("name").GetString() != name);
            foreach (var earlier in earlierOutputs)
            {
                start += SizeOf(earlier);
            }

            // As on the wire: little-endian, which is also what this machine reads.
            Assert.True(BitConverter.IsLittleEndian);
            numbers = MemoryMarshal.Cast<byte, T>(Binary.AsSpan(start, SizeOf(output))).ToArray();
        }

        Assert.Equal(shape, numbers.Length);
        return numbers;
    }

    private static int SizeOf(JsonElement output) =>
        output.TryGetProperty("parameters", out var parameters) ? parameters
            .GetProperty("binary_data_size").GetInt32() : 0;
}
