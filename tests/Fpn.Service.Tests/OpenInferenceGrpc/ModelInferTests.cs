using Fpn.Service.OpenInferenceGrpc;
using Fpn.Testing.Running;
using Google.Protobuf;

namespace Fpn.Service.Tests.OpenInferenceGrpc;

/// <summary><c>ModelInfer</c> finds what <c>/detect</c> finds, in each form, and refuses what is wrong.</summary>
public sealed class ModelInferTests(GrpcServiceFixture fixture) : IClassFixture<GrpcServiceFixture>
{
    private const string Model = "blood-cells";

    private readonly GrpcCalls _calls = fixture.Calls;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Infer_RawContents_GivesTheDetectionsOfDetect(int images)
    {
        var picture = await PictureAsync();
        var request = GrpcCalls.Request(Model, [.. Enumerable.Repeat(picture, images)]);
        request.Id = "seven";
        using var call = _calls.Infer(request);
        var answer = await call;

        Assert.Equal((Model, "1", "seven"), (answer.ModelName, answer.ModelVersion, answer.Id));
        Assert.Equal(["boxes", "scores", "labels", "image_index"], answer.Outputs.Select(output => output.Name));
        Assert.Equal(["FP32", "FP32", "INT64", "INT64"], answer.Outputs.Select(output => output.Datatype));
        Assert.All(answer.Outputs, output => Assert.Null(output.Contents));
        await AssertSameAsync(
            picture,
            images,
            GrpcCalls.Raw<float>(answer, "boxes"),
            GrpcCalls.Raw<float>(answer, "scores"),
            GrpcCalls.Raw<long>(answer, "labels"),
            GrpcCalls.Raw<long>(answer, "image_index"));
    }

    [Fact]
    public async Task Infer_TypedContents_AreTypedBackOnRequest()
    {
        var picture = await PictureAsync();
        var request = GrpcCalls.Typed(Model, picture, picture);
        request.Parameters["binary_data_output"] = new InferParameter { BoolParam = false };
        using var call = _calls.Infer(request);
        var answer = await call;

        Assert.Empty(answer.RawOutputContents);
        await AssertSameAsync(
            picture,
            2,
            [.. answer.Outputs[0].Contents.Fp32Contents],
            [.. answer.Outputs[1].Contents.Fp32Contents],
            [.. answer.Outputs[2].Contents.Int64Contents],
            [.. answer.Outputs[3].Contents.Int64Contents]);
        Assert.Equal([answer.Outputs[1].Shape[0], 4], answer.Outputs[0].Shape);
    }

    [Fact]
    public async Task Infer_TypedContents_AreAnsweredRawByDefault()
    {
        using var call = _calls.Infer(GrpcCalls.Typed(Model, await PictureAsync()));
        Assert.Equal(4, (await call).RawOutputContents.Count);
    }

    [Fact]
    public async Task Infer_OutputsAndParameters_AreHonored()
    {
        var picture = await PictureAsync();
        var detections = (await _calls.Service.Client.DetectAsync(picture)).GetProperty("detections");
        var third = detections[2].GetProperty("score").GetDouble();
        var request = GrpcCalls.Request(Model, picture);
        request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor { Name = "scores" });
        request.Parameters["max_detections"] = new InferParameter { Int64Param = 3 };
        request.Parameters["score_threshold"] = new InferParameter { DoubleParam = 0.05 };
        request.Parameters["triton_enable_empty_final_response"] = new InferParameter { BoolParam = true };
        request.Parameters["unknown_to_this_server"] = new InferParameter { StringParam = "ignored" };
        using (var call = _calls.Infer(request))
        {
            var answer = await call;
            Assert.Equal("scores", Assert.Single(answer.Outputs).Name);
            Assert.Equal(third, GrpcCalls.Raw<float>(answer, "scores")[^1], 1e-4);
        }

        request.Parameters["labels"] = new InferParameter { StringParam = "WBC" };
        request.Parameters["score_threshold"] = new InferParameter { StringParam = "0.5" };
        request.Parameters.Remove("max_detections");
        using (var call = _calls.Infer(request))
        {
            var wanted = detections.EnumerateArray()
                .Count(found => found.GetProperty("label").GetString() == "WBC"
                    && found.GetProperty("score").GetDouble() >= 0.5);
            Assert.Equal(wanted, GrpcCalls.Raw<float>(await call, "scores").Length);
        }
    }

    [Fact]
    public async Task Infer_ParametersOfViews_MeanWhatTheyMeanForDetect()
    {
        var picture = await PictureAsync();
        var expected = await _calls.Service.Client.DetectAsync(
            picture, "slice=400&overlap=0.1&wholeImage=false&flip=true&merge=ios");
        var request = GrpcCalls.Request(Model, picture);
        request.Parameters["slice"] = new InferParameter { Int64Param = 400 };
        request.Parameters["overlap"] = new InferParameter { DoubleParam = 0.1 };
        request.Parameters["whole_image"] = new InferParameter { BoolParam = false };
        request.Parameters["flip"] = new InferParameter { StringParam = "true" };
        request.Parameters["merge"] = new InferParameter { StringParam = "ios" };
        using var call = _calls.Infer(request);
        Assert.Equal(
            expected.GetProperty("detections").EnumerateArray()
                .Select(found => found.GetProperty("score").GetDouble()),
            GrpcCalls.Raw<float>(await call, "scores").Select(score => Math.Round((double)score, 5)));
    }

    [Fact]
    public async Task Infer_BytesOfThePublicContract_AreUnderstood()
    {
        // Field numbers by hand, as the public description has them: model_name 1, inputs 5 (name 1, datatype 2,
        // shape 3, packed), raw_input_contents 7.
        var picture = await PictureAsync();
        using var message = new MemoryStream();
        using (var output = new CodedOutputStream(message, leaveOpen: true))
        {
            output.WriteRawTag(0x0A);
            output.WriteString(Model);
            output.WriteRawTag(0x2A);
            output.WriteBytes(ByteString.CopyFrom(
                [0x0A, 5, .. "image"u8, 0x12, 5, .. "BYTES"u8, 0x1A, 1, 1]));
            output.WriteRawTag(0x3A);
            output.WriteBytes(ByteString.CopyFrom(OpenInference.InferCall.Binary(picture)));
        }

        using var call = _calls.Send(message.ToArray());
        Assert.NotEmpty(GrpcCalls.Raw<float>(await call, "scores"));
    }

    [Fact]
    [Trait("Speed", "slow")]
    public async Task Infer_ManyClientsAtOnce_GetTheirOwnAnswers()
    {
        byte[][] pictures = [await PictureAsync(), await File.ReadAllBytesAsync(Checkout.Astronaut, Cancel)];
        var expected = new List<int>();
        foreach (var picture in pictures)
        {
            using var call = _calls.Infer(GrpcCalls.Request(Model, picture));
            expected.Add(GrpcCalls.Raw<float>(await call, "scores").Length);
        }

        Assert.NotEqual(expected[0], expected[1]);
        await Task.WhenAll(Enumerable.Range(0, 24).Select(async i =>
        {
            var request = GrpcCalls.Request(Model, pictures[i % 2]);
            request.Id = $"call {i}";
            using var call = _calls.Infer(request);
            var answer = await call;
            Assert.Equal($"call {i}", answer.Id);
            Assert.Equal(expected[i % 2], GrpcCalls.Raw<float>(answer, "scores").Length);
        }));
    }

    [Fact]
    public async Task Infer_RequestId_ComesBackAndIsLogged()
    {
        using var call = _calls.Infer(
            GrpcCalls.Request(Model, await PictureAsync()), metadata: ("x-request-id", "made-by-the-test"));
        Assert.Equal("made-by-the-test", (await call.ResponseHeadersAsync).GetValue("x-request-id"));
        await call;
        await _calls.Service.Log.WaitForAsync(
            0,
            line => line.Contains("request made-by-the-test", StringComparison.Ordinal)
                && line.Contains("/inference.GRPCInferenceService/ModelInfer", StringComparison.Ordinal),
            Cancel);
    }

    private static Task<byte[]> PictureAsync() => File.ReadAllBytesAsync(Checkout.SampleImage, Cancel);

    private async Task AssertSameAsync(
        byte[] picture, int images, float[] boxes, float[] scores, long[] labels, long[] index)
    {
        var expected = (await _calls.Service.Client.DetectAsync(picture)).GetProperty("detections").EnumerateArray()
            .ToArray();
        Assert.NotEmpty(expected);
        Assert.Equal(images * expected.Length, scores.Length);
        for (var i = 0; i < scores.Length; i++)
        {
            var detection = expected[i % expected.Length];
            Assert.Equal(i / expected.Length, index[i]);
            Assert.Equal(detection.GetProperty("classId").GetInt64(), labels[i]);

            // Images may share a batch, which may change the last bits.
            Assert.Equal(detection.GetProperty("score").GetDouble(), scores[i], 1e-4);
            var box = detection.GetProperty("box");
            foreach (var (side, name) in ((string[])["x1", "y1", "x2", "y2"]).Index())
            {
                Assert.Equal(box.GetProperty(name).GetDouble(), boxes[(4 * i) + side], 0.05);
            }
        }
    }
}
