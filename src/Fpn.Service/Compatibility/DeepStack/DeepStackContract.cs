using System.Text.Json.Nodes;
using Fpn.Imaging.Decoding;
using Fpn.Service.Annotations;
using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Compatibility.Door;
using Fpn.Service.OpenInference;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Compatibility.DeepStack;

/// <summary>DeepStack's vision API, which CodeProject.AI took over: what recorders of cameras ask.</summary>
internal sealed class DeepStackContract(
    ContractDoor door, CompatibilityOptions options, LaneRegistry lanes, ImageDecoder decoder, TimeProvider clock)
    : IContract
{
    private const string KeyField = "api_key";
    private const string ConfidenceField = "min_confidence";

    /// <summary>The confidence that objects need unless the client asks for another.</summary>
    private const string DefaultConfidence = "0.4";

    private static readonly FormExample Form = new(
        "The picture, and how sure the model must be: 0 to 1, 0.4 unless it is given.", ConfidenceField, KeyField);

    private readonly DeepStackAnswer _answers = new(options.DeepStack, lanes.Device, clock);

    /// <inheritdoc/>
    public string Name => "deepstack";

    /// <inheritdoc/>
    public string Title => "DeepStack";

    /// <inheritdoc/>
    public string Description => "The same models for clients of DeepStack and CodeProject.AI: Frigate, Blue Iris, "
        + "Home Assistant.";

    /// <inheritdoc/>
    public JsonObject ErrorBody(Problem problem, string traceId) => new()
    {
        ["success"] = false,
        ["error"] = ErrorResponse.TextFor(problem, traceId),
        ["code"] = problem.Status,
    };

    /// <inheritdoc/>
    public void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/vision").WithMetadata(new KeyPlaces { InBody = true });
        group.MapPost("/detection", (Delegate)((HttpContext context) => HandleAsync(context, null)))
            .WithName("deepstackDetection")
            .WithSummary("Finds objects in an image, by the default model")
            .WithMetadata(new AnswerExample("application/json", DeepStackAnswer.DetectionExample), Form, FormProblems())
            .WithDetectionProblems(decoder)
            .RequireScope(KeyScope.Detect);
        group.MapPost("/custom/{model}", (HttpContext context, string model) => HandleAsync(context, model))
            .WithName("deepstackCustom")
            .WithSummary("Finds objects in an image, by a model")
            .WithMetadata(
                new AnswerExample("application/json", DeepStackAnswer.DetectionExample),
                new PathParameterNote("model", "Name of the model; case matters."),
                Form,
                FormProblems())
            .WithDetectionProblems(decoder)
            .RequireScope(KeyScope.Detect);
        group.MapPost("/custom/list", (Delegate)ListAsync)
            .WithName("deepstackCustomList")
            .WithSummary("Lists the models")
            .WithMetadata(new AnswerExample("application/json", DeepStackAnswer.ListExample))
            .RequireScope(KeyScope.Detect);
    }

    private static ProblemsMetadata FormProblems() => new(
        ImageFormReader.NotAForm(), MultipartForm.Broken(), NumberText.NotAFraction(ConfidenceField, "abc"));

    private Task<IResult> HandleAsync(HttpContext context, string? model) =>
        door.ReadFormAsync(context, ConfidenceField, KeyField).UseAsync(async form =>
            door.Admit(context, form.Field(KeyField)) is { } refused
                ? refused
                : await door.Take(model).UseAsync(use => DetectAsync(context, use.Lane, form))).ToResultAsync();

    private async Task<Outcome<JsonAnswer>> DetectAsync(HttpContext context, ModelLane lane, ImageForm form)
    {
        if (form.Image is not { } image)
        {
            return MultipartForm.Without(ImageBodyReader.PartName);
        }

        var filter = new DetectionFilter(lane.Model.Contract);
        return filter.SetScoreThreshold(ConfidenceField, form.Field(ConfidenceField) ?? DefaultConfidence) is { } wrong
            ? wrong
            : (await door.DetectAsync(context, lane, filter, [image.Bytes])).Succeeded(out var answers, out var problem)
                ? _answers.Detections(answers[0])
                : problem;
    }

    /// <summary>Lists the models; the form, which may hold the key, may be left out.</summary>
    private async Task<IResult> ListAsync(HttpContext context)
    {
        string? key = null;
        if (MultipartForm.ContentType(context.Request) is not null)
        {
            if (!(await door.ReadFormAsync(context, KeyField)).Succeeded(out var form, out var wrong))
            {
                return new ProblemResult(wrong);
            }

            using (form)
            {
                key = form.Field(KeyField);
            }
        }

        return door.Admit(context, key) is { } problem
            ? new ProblemResult(problem)
            : _answers.Models(door.Lanes);
    }
}
