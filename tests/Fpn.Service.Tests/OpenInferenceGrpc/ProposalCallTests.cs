using System.Text.Json;
using Fpn.Service.OpenInferenceGrpc;
using Fpn.Service.Tests.OpenInference;
using Fpn.Testing.Images;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;
using Grpc.Core;
using Wanted = Fpn.Service.OpenInferenceGrpc.ModelInferRequest.Types.InferRequestedOutputTensor;

namespace Fpn.Service.Tests.OpenInferenceGrpc;

/// <summary><c>ModelInfer</c> with outputs of proposals: the first stage alone.</summary>
public sealed class ProposalCallTests(GrpcServiceFixture fixture) : IClassFixture<GrpcServiceFixture>
{
    private const string Model = "blood-cells";

    private static readonly string[] Names =
        ["proposal_boxes", "proposal_objectness", "proposal_levels", "proposal_image_index"];

    private static readonly byte[] Crowded = MadeImages.Read("smear-480x640.jpg");
    private static readonly byte[] Turned = MadeImages.Read("exif6-480x360.jpg");

    private readonly GrpcCalls _calls = fixture.Calls;

    [Fact]
    public async Task Infer_RawContents_GivesWhatProposalsGives()
    {
        var request = Request(Model, Crowded, Turned);
        using var call = _calls.Infer(request);
        var answer = await call;

        Assert.Equal(Names, answer.Outputs.Select(output => output.Name));
        Assert.Equal(["FP32", "FP32", "INT64", "INT64"], answer.Outputs.Select(output => output.Datatype));
        Assert.All(answer.Outputs, output => Assert.Null(output.Contents));
        AssertSame([await ProposeAsync(Crowded, ""), await ProposeAsync(Turned, "")], answer);
    }

    [Fact]
    public async Task Infer_ParametersAndTypedContents_AreHonored()
    {
        var request = Request(Model, Crowded);
        request.Parameters["binary_data_output"] = new InferParameter { BoolParam = false };
        request.Parameters["top_n"] = new InferParameter { Int64Param = 30 };
        request.Parameters["nms_threshold"] = new InferParameter { StringParam = "0.4" };
        request.Parameters["score_threshold"] = new InferParameter { DoubleParam = 0.01 };
        using var call = _calls.Infer(request);
        var answer = await call;

        Assert.Empty(answer.RawOutputContents);
        Assert.Equal([answer.Outputs[1].Shape[0], 4], answer.Outputs[0].Shape);
        ProposalAnswers.AssertSame(
            [await ProposeAsync(Crowded, "topN=30&nmsThreshold=0.4&scoreThreshold=0.01")],
            [.. answer.Outputs[0].Contents.Fp32Contents],
            [.. answer.Outputs[1].Contents.Fp32Contents],
            [.. answer.Outputs[2].Contents.Int64Contents],
            [.. answer.Outputs[3].Contents.Int64Contents]);
    }

    /// <summary>A head that gives NaN fails detections, and is not asked for proposals.</summary>
    [Fact]
    public async Task Infer_HeadIsBroken_ProposesAllTheSame()
    {
        var wide = await File.ReadAllBytesAsync(Checkout.WideImage, TestContext.Current.CancellationToken);
        using var models = new ModelFolder();
        models.AddSpoiled("class_logits", "class_logits", float.NaN);
        using var calls = new GrpcCalls(("Fpn:Models:Path", models.Path), ("Fpn:Models:Default", "class_logits"));

        await GrpcCalls.FailAsync(
            calls.Infer(GrpcCalls.Request("class_logits", wide)), StatusCode.Internal, "model-output-not-finite");
        using var call = calls.Infer(Request("class_logits", wide));
        AssertSame([await ProposeAsync(wide, "")], await call);
    }

    [Fact]
    public async Task Infer_EndToEndModel_IsInvalidArgument()
    {
        using var models = new ModelFolder();
        EndToEndPackage.WriteTo(models.Path);
        using var calls = new GrpcCalls(("Fpn:Models:Path", models.Path), ("Fpn:Models:Default", "constant"));
        var failure = await GrpcCalls.FailAsync(
            calls.Infer(Request("constant", Crowded)), StatusCode.InvalidArgument, "not-two-stage");
        Assert.Contains("inside its graph", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("scores", null, "outputs[4]: ")]
    [InlineData(null, "max_detections", "parameters.max_detections: ")]
    [InlineData(null, "scales", "parameters.scales: ")]
    public async Task Infer_OfDetections_IsInvalidArgumentAndNamesIt(string? output, string? parameter, string start)
    {
        var request = Request(Model, Crowded);
        if (output is not null)
        {
            request.Outputs.Add(new Wanted { Name = output });
        }

        if (parameter is not null)
        {
            request.Parameters[parameter] = new InferParameter { Int64Param = 480 };
        }

        await FailAsync(request, start);
    }

    [Theory]
    [InlineData("top_n")]
    [InlineData("nms_threshold")]
    public async Task Infer_OfProposalsToDetections_IsInvalidArgumentAndNamesIt(string parameter)
    {
        var request = GrpcCalls.Request(Model, Crowded);
        request.Parameters[parameter] = new InferParameter { Int64Param = 1 };
        await FailAsync(request, $"parameters.{parameter}: ");
    }

    private static ModelInferRequest Request(string model, params byte[][] images)
    {
        var request = GrpcCalls.Request(model, images);
        request.Outputs.AddRange(Names.Select(name => new Wanted { Name = name }));
        return request;
    }

    private static void AssertSame(IReadOnlyList<JsonElement> expected, ModelInferResponse answer) =>
        ProposalAnswers.AssertSame(
            expected,
            GrpcCalls.Raw<float>(answer, "proposal_boxes"),
            GrpcCalls.Raw<float>(answer, "proposal_objectness"),
            GrpcCalls.Raw<long>(answer, "proposal_levels"),
            GrpcCalls.Raw<long>(answer, "proposal_image_index"));

    private Task<JsonElement> ProposeAsync(byte[] image, string query) =>
        _calls.Service.Client.ProposeAsync(image, query);

    private async Task FailAsync(ModelInferRequest request, string start)
    {
        var failure = await GrpcCalls.FailAsync(_calls.Infer(request), StatusCode.InvalidArgument, "bad-parameter");
        Assert.StartsWith(start, failure.Status.Detail, StringComparison.Ordinal);
    }
}
