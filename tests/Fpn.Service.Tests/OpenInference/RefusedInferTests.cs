using System.Net;
using System.Text;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.OpenInference;

/// <summary>
/// What the protocol forbids is refused with a status and a text that names it; each test is one rule.
/// </summary>
[Collection(ServiceFixture.Collection)]
public sealed class RefusedInferTests(ServiceFixture fixture)
{
    private static readonly byte[] Pixel = MadePng.OnePixel();
    private static readonly string Data = InferCall.Base64(Pixel);

    private HttpClient Client => fixture.Service.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", "JSON")]
    [InlineData("{", "JSON")]
    [InlineData("nonsense", "JSON")]
    [InlineData("[]", "object")]
    [InlineData("null", "object")]
    [InlineData("\"x\"", "object")]
    [InlineData("{} {}", "JSON")]
    [InlineData("{\"inputs\": [}", "JSON")]
    [InlineData("{\"inputs\": [], }", "JSON")]
    [InlineData("/* c */ {}", "JSON")]
    public async Task Json_Broken_Is400(string json, string named) => await RefusedAsync(json, named);

    [Fact]
    public async Task Json_InvalidUtf8_Is400()
    {
        byte[] json = [.. "{\"id\": \""u8, 0xFF, 0xFE, .. "\"}"u8];
        using var response = await Client.PostInferAsync(json, null);
        Assert.Contains("UTF-8", await response.ErrorAsync(HttpStatusCode.BadRequest), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"unknown\": ")]
    [InlineData("{\"inputs\": [{\"data\": ")]
    public async Task Json_DeeplyNested_Is400(string start)
    {
        const int Depth = 100_000;
        await RefusedAsync($"{start}{new string('[', Depth)}{new string(']', Depth)}", "");
    }

    [Theory]
    [InlineData("\"id\": 42", "id")]
    [InlineData("\"id\": \"\\ud800\"", "id")]
    [InlineData("\"id\": \"1\", \"id\": \"2\"", "id")]
    [InlineData("\"parameters\": []", "parameters")]
    [InlineData("\"parameters\": {}, \"parameters\": {}", "parameters")]
    [InlineData("\"outputs\": {}", "outputs")]
    [InlineData("\"outputs\": [\"boxes\"]", "outputs[0]")]
    [InlineData("\"outputs\": [{}]", "outputs[0]")]
    [InlineData("\"outputs\": [{\"name\": 1}]", "outputs[0].name")]
    public async Task Member_WrongType_Is400ThatNamesIt(string member, string named) =>
        await RefusedAsync(InferCall.Json([Pixel], $", {member}"), named);

    [Fact]
    public async Task Id_TooLong_Is400() =>
        await RefusedAsync(InferCall.Json([Pixel], $", \"id\": \"{new string('x', 1025)}\""), "id");

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"inputs\": []}")]
    public async Task Input_Missing_Is400(string json) => await RefusedAsync(json, "'image' is missing");

    [Fact]
    public async Task Input_UnknownTensor_Is400() =>
        await RefusedInputAsync(
            $"\"name\": \"picture\", \"shape\": [1], \"datatype\": \"BYTES\", \"data\": [{Data}]", "'picture'");

    [Fact]
    public async Task Input_NameInOtherCase_Is400() =>
        await RefusedInputAsync(
            $"\"name\": \"Image\", \"shape\": [1], \"datatype\": \"BYTES\", \"data\": [{Data}]", "'Image'");

    [Fact]
    public async Task Input_Twice_Is400()
    {
        var input = $"{{\"name\": \"image\", \"shape\": [1], \"datatype\": \"BYTES\", \"data\": [{Data}]}}";
        await RefusedAsync($"{{\"inputs\": [{input}, {input}]}}", "given twice");
    }

    [Theory]
    [InlineData("FP32")]
    [InlineData("UINT8")]
    [InlineData("bytes")]
    [InlineData("STRING")]
    [InlineData("")]
    public async Task Input_WrongDatatype_Is400(string datatype) =>
        await RefusedInputAsync(
            $"\"name\": \"image\", \"shape\": [1], \"datatype\": \"{datatype}\", \"data\": [{Data}]",
            "inputs[0].datatype");

    [Theory]
    [InlineData("[]")]
    [InlineData("[0]")]
    [InlineData("[-1]")]
    [InlineData("[1.0]")]
    [InlineData("[1e0]")]
    [InlineData("[\"1\"]")]
    [InlineData("[null]")]
    [InlineData("[1, 1]")]
    [InlineData("[[1]]")]
    [InlineData("1")]
    [InlineData("{}")]
    [InlineData("[65]")]
    [InlineData("[4294967297]")]
    [InlineData("[18446744073709551615]")]
    [InlineData("[18446744073709551616]")]
    [InlineData("[1e400]")]
    public async Task Input_WrongShape_Is400(string shape) =>
        await RefusedInputAsync(
            $"\"name\": \"image\", \"shape\": {shape}, \"datatype\": \"BYTES\", \"data\": [{Data}]", "inputs[0].shape");

    [Theory]
    [InlineData(2, 1)]
    [InlineData(1, 2)]
    [InlineData(1, 0)]
    public async Task Input_ShapeAndDataDisagree_Is400(int shape, int elements) => await RefusedInputAsync(
        $"\"name\": \"image\", \"shape\": [{shape}], \"datatype\": \"BYTES\", \"data\": "
        + $"[{string.Join(", ", Enumerable.Repeat(Data, elements))}]",
        $"{elements} elements");

    [Fact]
    public async Task Input_MoreElementsThanServed_Is400() => await RefusedInputAsync(
        $"\"name\": \"image\", \"datatype\": \"BYTES\", \"data\": [{string.Join(", ", Enumerable.Repeat("\"\"", 65))}]",
        "64");

    [Theory]
    [InlineData("\"shape\": [1], \"datatype\": \"BYTES\", \"data\": [\"AA==\"]", "'name' is missing")]
    [InlineData("\"name\": \"image\", \"datatype\": \"BYTES\", \"data\": [\"AA==\"]", "'shape' is missing")]
    [InlineData("\"name\": \"image\", \"shape\": [1], \"data\": [\"AA==\"]", "'datatype' is missing")]
    [InlineData("\"name\": \"image\", \"shape\": [1], \"datatype\": \"BYTES\"", "'binary_data_size'")]
    [InlineData("\"name\": \"image\", \"name\": \"image\"", "twice")]
    [InlineData("\"n\\u0061me\": \"image\", \"name\": \"image\"", "twice")]
    public async Task Input_MemberMissingOrTwice_Is400(string members, string named) =>
        await RefusedInputAsync(members, named);

    [Theory]
    [InlineData("\"AA==\"")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("[true]")]
    [InlineData("[null]")]
    [InlineData("[\"AA==\", [\"AA==\"]]")]
    [InlineData("[[\"AA==\"], \"AA==\"]")]
    [InlineData("[[[[[[[[[\"AA==\"]]]]]]]]]")]
    public async Task Data_NotAnArrayOfStrings_Is400(string data) =>
        await RefusedInputAsync(
            $"\"name\": \"image\", \"shape\": [2], \"datatype\": \"BYTES\", \"data\": {data}", "inputs[0].data");

    [Theory]
    [InlineData("A")]
    [InlineData("AAA")]
    [InlineData("????")]
    [InlineData("_-__")]
    [InlineData("AA==AA==")]
    [InlineData("\\u00e9AAA")]
    [InlineData("\\ud83d\\ude00")]
    [InlineData("AA\\b=")]
    [InlineData("")]
    public async Task Data_NotBase64_Is400ThatNamesTheElement(string text) => await RefusedInputAsync(
        $"\"name\": \"image\", \"shape\": [2], \"datatype\": \"BYTES\", \"data\": [{Data}, \"{text}\"]", "image[1]");

    [Fact]
    public async Task Data_AndBinaryDataSize_Is400()
    {
        var json = $$"""
            {"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES",
              "parameters": {"binary_data_size": 4}, "data": [{{Data}}]}]}
            """;
        using var response = await Client.PostInferAsync(json, new byte[4]);
        Assert.Contains(
            "exclude each other", await response.ErrorAsync(HttpStatusCode.BadRequest), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("1000")]
    [InlineData("99999999999999999999")]
    [InlineData("2147483648")]
    [InlineData("-1")]
    [InlineData("+5")]
    [InlineData("1.5")]
    [InlineData("0x10")]
    [InlineData("abc")]
    [InlineData(" ")]
    [InlineData("5, 5")]
    public async Task Header_LargerThanTheBodyOrNoNumber_Is400(string length)
    {
        using var response = await Client.PostInferAsync("{}"u8.ToArray(), length);
        Assert.Contains(
            InferCall.LengthName, await response.ErrorAsync(HttpStatusCode.BadRequest), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Header_LargerThanAChunkedBody_Is400()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "v2/models/blood-cells/infer")
        {
            Content =
            new ByteArrayContent("{}"u8.ToArray())
        };
        request.Headers.TransferEncodingChunked = true;
        request.Headers.Add(InferCall.LengthName, "3");
        using var response = await Client.SendAsync(request, Cancel);
        Assert.Contains(
            InferCall.LengthName, await response.ErrorAsync(HttpStatusCode.BadRequest), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Header_Missing_BinaryDataIs400()
    {
        var binary = InferCall.Binary(Pixel);
        byte[] body = [.. Encoding.UTF8.GetBytes(InferCall.BinaryJson(1, binary.Length)), .. binary];
        using var response = await Client.PostInferAsync(body, null);
        await response.ErrorAsync(HttpStatusCode.BadRequest);
        using var alone = await Client.PostInferAsync(InferCall.BinaryJson(1, binary.Length));
        Assert.Contains(
            InferCall.LengthName, await alone.ErrorAsync(HttpStatusCode.BadRequest), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Header_InTheMiddleOfTheJson_Is400()
    {
        var json = Encoding.UTF8.GetBytes(InferCall.Json([Pixel]));
        using var response = await Client.PostInferAsync(json, $"{json.Length - 3}");
        Assert.Contains("JSON", await response.ErrorAsync(HttpStatusCode.BadRequest), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Header_LongJsonBeforeBinaryData_Is400()
    {
        var binary = InferCall.Binary(Pixel);
        var json = InferCall.BinaryJson(1, binary.Length) + new string(' ', 1 << 20);
        using var response = await Client.PostInferAsync(json, binary);
        Assert.Contains(
            InferCall.LengthName, await response.ErrorAsync(HttpStatusCode.BadRequest), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(1L << 40)]
    public async Task BinaryDataSize_NotWhatFollows_Is400(long more)
    {
        var binary = InferCall.Binary(Pixel);
        using var response = await Client.PostInferAsync(InferCall.BinaryJson(1, binary.Length + more), binary);
        Assert.Contains(
            "binary_data_size", await response.ErrorAsync(HttpStatusCode.BadRequest), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("\"4\"")]
    [InlineData("true")]
    [InlineData("18446744073709551615")]
    [InlineData("[4]")]
    [InlineData("4, \"binary_data_size\": 4")]
    public async Task BinaryDataSize_NoSize_Is400(string size)
    {
        var json = $$"""
            {"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES",
              "parameters": { "binary_data_size": {{size}} } }]}
            """;
        using var response = await Client.PostInferAsync(json, new byte[4]);
        Assert.Contains(
            "binary_data_size", await response.ErrorAsync(HttpStatusCode.BadRequest), StringComparison.Ordinal);
    }

    [Fact]
    public async Task BinaryData_WithoutAnInputThatHasIt_Is400()
    {
        using var response = await Client.PostInferAsync(InferCall.Json([Pixel]), [1, 2, 3]);
        Assert.Contains(
            "3 bytes follow", await response.ErrorAsync(HttpStatusCode.BadRequest), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, new byte[] { 1, 0, 0, 0, 9 }, "image[1]")]
    [InlineData(1, new byte[] { 1, 0, 0 }, "image[0]")]
    [InlineData(1, new byte[] { 2, 0, 0, 0, 9 }, "image[0]")]
    [InlineData(1, new byte[] { 255, 255, 255, 255, 9 }, "image[0]")]
    [InlineData(1, new byte[] { 0, 0, 0, 1, 9 }, "image[0]")]
    [InlineData(2, new byte[] { 1, 0, 0, 0, 9, 7, 0 }, "image[1]")]
    [InlineData(1, new byte[0], "image[0]")]
    [InlineData(1, new byte[] { 0, 0, 0, 0 }, "image[0]")]
    [InlineData(1, new byte[] { 1, 0, 0, 0, 9, 9 }, "left over")]
    public async Task Bytes_TruncatedOrLeftOver_Is400ThatNamesTheElement(int count, byte[] binary, string named)
    {
        using var response = await Client.PostInferAsync(InferCall.BinaryJson(count, binary.Length), binary);
        Assert.Contains(named, await response.ErrorAsync(HttpStatusCode.BadRequest), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Raw_EmptyBody_Is400()
    {
        using var response = await Client.PostInferAsync([], "0");
        Assert.Contains("image[0]", await response.ErrorAsync(HttpStatusCode.BadRequest), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"name\": \"masks\"}", "'masks'")]
    [InlineData("{\"name\": \"Boxes\"}", "'Boxes'")]
    [InlineData("{\"name\": \"boxes\"}, {\"name\": \"boxes\"}", "twice")]
    [InlineData("{\"name\": \"boxes\", \"parameters\": {\"binary_data\": 1}}", "binary_data")]
    [InlineData("{\"name\": \"boxes\", \"parameters\": {\"binary_data\": \"true\"}}", "binary_data")]
    [InlineData("{\"name\": \"boxes\", \"parameters\": 1}", "outputs[0].parameters")]
    [InlineData("{\"name\": \"scores\", \"parameters\": {\"classification\": 3}}", "not supported")]
    [InlineData("{\"name\": \"scores\", \"parameters\": {\"shared_memory_region\": \"r\"}}", "not supported")]
    public async Task Output_UnknownOrUnsupported_Is400(string outputs, string named) =>
        await RefusedAsync(InferCall.Json([Pixel], $", \"outputs\": [{outputs}]"), named);

    [Theory]
    [InlineData("\"priority\": -1", "priority")]
    [InlineData("\"priority\": 1.5", "priority")]
    [InlineData("\"priority\": \"1\"", "priority")]
    [InlineData("\"priority\": 1, \"priority\": 2", "priority")]
    [InlineData("\"timeout\": -1", "timeout")]
    [InlineData("\"timeout\": \"1s\"", "timeout")]
    [InlineData("\"timeout\": 1e3", "timeout")]
    [InlineData("\"binary_data_output\": 1", "binary_data_output")]
    [InlineData("\"score_threshold\": 1.5", "score_threshold")]
    [InlineData("\"score_threshold\": -0.1", "score_threshold")]
    [InlineData("\"score_threshold\": 1e400", "score_threshold")]
    [InlineData("\"score_threshold\": \"0.5\"", "score_threshold")]
    [InlineData("\"max_detections\": 0", "max_detections")]
    [InlineData("\"max_detections\": 2.0", "max_detections")]
    [InlineData("\"max_detections\": -3", "max_detections")]
    [InlineData("\"labels\": 1", "labels")]
    [InlineData("\"labels\": \"RBC,Nothing\"", "'Nothing'")]
    [InlineData("\"slice\": 1", "slice")]
    [InlineData("\"slice\": [640]", "slice")]
    [InlineData("\"slice\": 640, \"slice\": 320", "parameters.slice: Is given twice")]
    [InlineData("\"overlap\": 1", "overlap")]
    [InlineData("\"whole_image\": 1", "whole_image")]
    [InlineData("\"scales\": \"\"", "scales")]
    [InlineData("\"flip\": \"yes\"", "flip")]
    [InlineData("\"merge\": 1", "merge")]
    [InlineData("\"merge_threshold\": -1", "merge_threshold")]
    [InlineData("\"sequence_id\": 7", "sequence_id")]
    [InlineData("\"sequence_start\": true", "sequence_start")]
    [InlineData("\"sequence_end\": true", "sequence_end")]
    [InlineData("\"triton_x\": true", "triton_x")]
    [InlineData("\"custom\": [1]", "custom")]
    public async Task Parameter_WrongOrUnsupported_Is400ThatNamesIt(string parameter, string named) =>
        await RefusedAsync(InferCall.Json([Pixel], $", \"parameters\": {{{parameter}}}"), named);

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    public async Task ContentEncoding_Compressed_Is415(string encoding)
    {
        using var response = await Client.PostInferAsync([1, 2, 3], null, headers: ("Content-Encoding", encoding));
        Assert.Contains(
            $"'{encoding}'", await response.ErrorAsync(HttpStatusCode.UnsupportedMediaType), StringComparison.Ordinal);
        Assert.Equal("identity", Assert.Single(response.Headers.GetValues("Accept-Encoding")));
    }

    [Fact]
    public async Task Image_OneIsBad_TheErrorNamesItAndHasDetectsStatus()
    {
        var cut = File.ReadAllBytes(Checkout.SampleImage)[..20_000];
        using var corrupt = await Client.PostBinaryAsync([Pixel, Pixel, cut]);
        Assert.StartsWith(
            "image[2]: ", await corrupt.ErrorAsync(HttpStatusCode.UnprocessableEntity), StringComparison.Ordinal);
        using var text = await Client.PostInferAsync(InferCall.Json([Pixel, "no image at all"u8.ToArray()]));
        Assert.StartsWith(
            "image[1]: ", await text.ErrorAsync(HttpStatusCode.UnsupportedMediaType), StringComparison.Ordinal);
        using var large = await Client.PostInferAsync(MadePng.Header(50_000, 50_000), "0");
        Assert.StartsWith(
            "image[0]: ", await large.ErrorAsync(HttpStatusCode.RequestEntityTooLarge), StringComparison.Ordinal);
    }

    private async Task RefusedAsync(string json, string named)
    {
        using var response = await Client.PostInferAsync(json);
        Assert.Contains(named, await response.ErrorAsync(HttpStatusCode.BadRequest), StringComparison.Ordinal);
    }

    private Task RefusedInputAsync(string members, string named) =>
        RefusedAsync($"{{\"inputs\": [{{{members}}}]}}", named);
}
