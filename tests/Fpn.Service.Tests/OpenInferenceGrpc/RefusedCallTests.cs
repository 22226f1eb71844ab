using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using Fpn.Service.Bodies;
using Fpn.Service.OpenInferenceGrpc;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Wanted = Fpn.Service.OpenInferenceGrpc.ModelInferRequest.Types.InferRequestedOutputTensor;

namespace Fpn.Service.Tests.OpenInferenceGrpc;

/// <summary>Calls that are wrong, broken or hostile: each is refused with a status, a message and its type.</summary>
public sealed class RefusedCallTests(GrpcServiceFixture fixture) : IClassFixture<GrpcServiceFixture>
{
    private const string Model = "blood-cells";

    private static readonly byte[] Picture = Pictures.Png(16, 16);

    private readonly GrpcCalls _calls = fixture.Calls;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("no image", "unsupported-image-format")]
    [InlineData("\u00FF\u00D8\u00FF\u00E0 cut off", "undecodable-image")]
    public async Task Infer_BadImage_IsInvalidArgumentAndNamesTheImage(string content, string type)
    {
        var bad = System.Text.Encoding.Latin1.GetBytes(content.PadRight(64));
        var failure = await GrpcCalls.FailAsync(
            _calls.Infer(GrpcCalls.Request(Model, Picture, bad)), StatusCode.InvalidArgument, type);
        Assert.StartsWith("image[1]: ", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nobody", "", "unknown-model")]
    [InlineData(Model, "7", "unknown-version")]
    [InlineData("", "", "unknown-model")]
    public async Task Infer_UnknownModel_IsNotFound(string model, string version, string type)
    {
        var request = GrpcCalls.Request(model, Picture);
        request.ModelVersion = version;
        await GrpcCalls.FailAsync(_calls.Infer(request), StatusCode.NotFound, type);
    }

    /// <summary>How the message begins, and what spoils a good request.</summary>
    private static readonly (string Start, Action<ModelInferRequest> Spoil)[] WrongRequests =
    [
        ("inputs: ", request => request.Inputs.Clear()),
        ("inputs[1].name: ", request => request.Inputs.Add(request.Inputs[0].Clone())),
        ("inputs[0].name: ", request => request.Inputs[0].Name = "picture"),
        ("inputs[0].datatype: ", request => request.Inputs[0].Datatype = "UINT8"),
        ("inputs[0].shape: ", request => request.Inputs[0].Shape.Add(1)),
        ("inputs[0].shape: ", request => request.Inputs[0].Shape[0] = -1),
        ("inputs[0].shape: ", request => request.Inputs[0].Shape[0] = 0),
        ("inputs[0].shape: ", request => request.Inputs[0].Shape[0] = 65),
        ("inputs[0].shape: ", request => request.Inputs[0].Shape.Clear()),
        ("image[1]: ", request => request.Inputs[0].Shape[0] = 2),
        ("raw_input_contents: ", request => request.RawInputContents.Add(ByteString.Empty)),
        ("inputs[0]: ", request => request.RawInputContents.Clear()),
        ("inputs[0]: ", request => request.Inputs[0].Contents = Bytes(1)),
        (
            "inputs[0].contents: ", request =>
            {
                request.RawInputContents.Clear();
                request.Inputs[0].Contents = Bytes(2);
            }
        ),
        ("inputs[0].contents: ", request => request.Inputs[0].Contents = new() { Fp32Contents = { 1 } }),
        ("image: ", request => request.RawInputContents[0] = Longer(request.RawInputContents[0])),
        ("image[0]: ", request => request.RawInputContents[0] = ByteString.CopyFrom(0, 0, 0, 0)),
        ("image[0]: ", request => request.RawInputContents[0] = ByteString.CopyFrom(255, 255, 255, 255, 1)),
        ("outputs[0].name: ", request => request.Outputs.Add(new Wanted { Name = "masks" })),
        (
            "outputs[1]: ", request =>
            {
                request.Outputs.Add(new Wanted { Name = "boxes" });
                request.Outputs.Add(new Wanted { Name = "boxes" });
            }
        ),
        (
            "outputs[0].parameters.classification: ", request =>
                request.Outputs.Add(new Wanted
                {
                    Name = "scores", Parameters = { { "classification", new InferParameter { Int64Param = 3 } } },
                })
        ),
        (
            "inputs[0].parameters.shared_memory_region: ", request =>
                request.Inputs[0].Parameters.Add("shared_memory_region", new() { StringParam = "a" })
        ),
        ("parameters.priority: ", Set("priority", new() { Int64Param = -1 })),
        ("parameters.timeout: ", Set("timeout", new() { StringParam = "soon" })),
        ("parameters.sequence_id: ", Set("sequence_id", new() { Int64Param = 1 })),
        (
            "parameters.triton_enable_empty_final_response: ",
            Set("triton_enable_empty_final_response", new() { StringParam = "true" })
        ),
        ("parameters.triton_other: ", Set("triton_other", new() { BoolParam = true })),
        ("parameters.score_threshold: ", Set("score_threshold", new() { DoubleParam = 2 })),
        ("parameters.score_threshold: ", Set("score_threshold", new() { BoolParam = true })),
        ("parameters.max_detections: ", Set("max_detections", new() { Int64Param = 0 })),
        ("parameters.labels: ", Set("labels", new() { StringParam = "dragon" })),
        ("parameters.binary_data_output: ", Set("binary_data_output", new() { Int64Param = 1 })),
        ("id: ", request => request.Id = new string('x', 1025)),
    ];

    public static TheoryData<int> WrongIndices() => [.. Enumerable.Range(0, WrongRequests.Length)];

    [Theory]
    [MemberData(nameof(WrongIndices))]
    public async Task Infer_WrongField_IsInvalidArgumentAndNamesIt(int index)
    {
        var (start, spoil) = WrongRequests[index];
        var request = GrpcCalls.Request(Model, Picture);
        spoil(request);
        var failure = await GrpcCalls.FailAsync(
            _calls.Infer(request), StatusCode.InvalidArgument, "bad-parameter");
        Assert.StartsWith(start, failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Infer_DamagedMessages_AreRefusedAndTheServiceGoesOn()
    {
        var whole = GrpcCalls.Request(Model, Picture).ToByteArray();
        var random = new Random(17);
        for (var i = 0; i < 300; i++)
        {
            var damaged = whole[..random.Next(whole.Length)];
            if (damaged.Length > 0)
            {
                damaged[random.Next(Math.Min(damaged.Length, 60))] = (byte)random.Next(256);
            }

            using var call = _calls.Send(damaged);
            var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
            Assert.True(
                failure.StatusCode is StatusCode.InvalidArgument or StatusCode.NotFound, failure.Status.ToString());
        }

        using var good = _calls.Infer(GrpcCalls.Request(Model, Picture));
        await good;
    }

    [Fact]
    public async Task Infer_AHundredThousandOfAnything_IsRefused()
    {
        var inputs = GrpcCalls.Request(Model, Picture);
        var more = GrpcCalls.Typed(Model, Picture);
        for (var i = 0; i < 100_000; i++)
        {
            inputs.Inputs.Add(inputs.Inputs[0]);
            more.Inputs[0].Contents.BytesContents.Add(ByteString.Empty);
        }

        await GrpcCalls.FailAsync(_calls.Infer(inputs), StatusCode.InvalidArgument, "bad-parameter");
        var failure = await GrpcCalls.FailAsync(_calls.Infer(more), StatusCode.InvalidArgument, "bad-parameter");
        Assert.Contains("more than 64 elements", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(uint.MaxValue)]
    [InlineData(300_000_000u)]
    public async Task Message_LongerThanTheLimit_IsRefusedBeforeItArrives(uint length)
    {
        using var answer = await SendFrameAsync(length, new byte[100]);
        Assert.Equal(("3", "batch-too-large"), (Header(answer, "grpc-status"), Header(answer, "problem-type")));
    }

    [Theory]
    [InlineData(200_000_000u)]
    [InlineData(101u)]
    public async Task Message_CutOff_IsInvalidArgumentWithoutItsMemory(uint length)
    {
        using var answer = await SendFrameAsync(length, new byte[100]);
        Assert.Equal(("3", "bad-request"), (Header(answer, "grpc-status"), Header(answer, "problem-type")));
        await Eventually.TrueAsync(() => Taken() == 0);
    }

    [Fact]
    public async Task Method_Unknown_IsUnimplemented()
    {
        var failure = await GrpcCalls.FailAsync(
            _calls.Call<ModelInferRequest, ModelInferResponse>("ModelConfig", new ModelInferRequest()),
            StatusCode.Unimplemented,
            "unknown-method");
        Assert.Contains("ModelConfig", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SmallMethod_LargeMessage_IsRefused() => await GrpcCalls.FailAsync(
        _calls.Call<ModelReadyRequest, ModelReadyResponse>(
            "ModelReady", new ModelReadyRequest { Name = new string('x', 70_000) }),
        StatusCode.InvalidArgument,
        "batch-too-large");

    [Theory]
    [InlineData("grpc-encoding", "gzip", "12")]
    [InlineData("grpc-timeout", "soon", "3")]
    [InlineData("grpc-timeout", "123456789S", "3")]
    [InlineData("x-priority", "urgent", "3")]
    public async Task Header_Wrong_IsRefused(string name, string value, string status)
    {
        var message = GrpcCalls.Request(Model, Picture).ToByteArray();
        using var answer = await SendFrameAsync(
            (uint)message.Length, message, isCompressed: name == "grpc-encoding", (name, value));
        Assert.Equal(status, Header(answer, "grpc-status"));
    }

    [Fact]
    public async Task Metadata_LongDetail_IsCut()
    {
        var request = GrpcCalls.Request(Model, Picture);
        request.Parameters["labels"] = new InferParameter { StringParam = new string('é', 20_000) };
        var failure = await GrpcCalls.FailAsync(_calls.Infer(request), StatusCode.InvalidArgument, "bad-parameter");
        Assert.InRange(failure.Status.Detail.Length, 1000, 2100);
        Assert.Contains('é', failure.Status.Detail);
    }

    private static Action<ModelInferRequest> Set(string name, InferParameter value) =>
        request => request.Parameters.Add(name, value);

    private static InferTensorContents Bytes(int count) =>
        new() { BytesContents = { Enumerable.Repeat(ByteString.CopyFrom(Picture), count) } };

    private static ByteString Longer(ByteString bytes) => ByteString.CopyFrom([.. bytes.Span, 0]);

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.TrailingHeaders.TryGetValues(name, out var values) || answer.Headers.TryGetValues(name, out values)
            ? values.Single()
            : null;

    private long Taken() => _calls.Service.Services.GetRequiredService<BodyMemory>().Taken;

    /// <summary>Sends a message whose announced length may be a lie, byte by byte.</summary>
    private async Task<HttpResponseMessage> SendFrameAsync(
        uint length, byte[] content, bool isCompressed = false, params (string Name, string Value)[] headers)
    {
        var frame = new byte[5 + content.Length];
        frame[0] = isCompressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), length);
        content.CopyTo(frame, 5);
        using var client = new HttpClient
        {
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        using var request = new HttpRequestMessage(
            HttpMethod.Post, new Uri(_calls.Address, "inference.GRPCInferenceService/ModelInfer"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(frame)
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") },
            },
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        foreach (var (name, value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        var answer = await client.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        await answer.Content.ReadAsByteArrayAsync(Cancel);
        return answer;
    }
}
