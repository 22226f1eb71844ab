using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Compatibility.Door;
using Fpn.Service.Json;
using Fpn.Service.Problems;
using Fpn.Serving.Lanes;
using Fpn.Serving.Pipeline;

namespace Fpn.Service.Compatibility.LabelStudio;

/// <summary>Predicts tasks: finds their pictures, detects, and answers in the project's labels.</summary>
internal sealed partial class TaskPredictor(
    ContractDoor door, CompatibilityOptions options, ILogger<TaskPredictor> logger)
{
    /// <summary>The version of a model as Label Studio shows it.</summary>
    public static string VersionFor(ModelLane lane) => $"{lane.Model.Contract.Name}/{lane.Model.Contract.Version}";

    /// <summary>Answers one request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="model">Name of the model.</param>
    /// <returns>As many results as tasks; or the problem of the request, or of its tasks if all fail.</returns>
    public Task<Outcome<JsonAnswer>> PredictAsync(HttpContext context, string model) =>
        door.Take(model).UseAsync(
            use => door.ReadJsonAsync(context).UseAsync(body => PredictAsync(context, use.Lane, body)));

    private async Task<Outcome<JsonAnswer>> PredictAsync(HttpContext context, ModelLane lane, ImageBody body)
    {
        if (!PredictRequest.Read(body.Bytes.Span).Succeeded(out var request, out var problem))
        {
            return problem;
        }

        if (request.Config is not { } xml)
        {
            return Problem.BadParameter("label_config", "Is missing: the project's labeling configuration.");
        }

        if (!LabelConfig.Read(xml).Succeeded(out var config, out problem))
        {
            return problem;
        }

        var filter = new DetectionFilter(lane.Model.Contract);
        if (config.ScoreThreshold is { } threshold
            && filter.SetScoreThreshold("model_score_threshold", threshold) is { } notAScore)
        {
            return notAScore;
        }

        // A part at a time: a project's tasks may be many more than the images that one request may hold in memory.
        var outcomes = new List<Outcome<DetectionAnswer>>(request.Count);
        var turns = new ImageTurns();
        while (outcomes.Count < request.Count)
        {
            var part = Math.Min(door.Limits.MaxBatchImages, request.Count - outcomes.Count);
            outcomes.AddRange(await Task.WhenAll(Enumerable.Range(outcomes.Count, part)
                .Select(index => PredictAsync(
                    context, lane, filter, body, request.ImageFor(index, config.DataKey), turns, index))));
        }

        return Summarize(context, lane, outcomes) is { } failed
            ? failed
            : new JsonAnswer(json =>
            {
                var labels = config.LabelsFor(lane.Model.Contract);
                json.WriteStartObject();
                json.WriteStartArray("results"u8);
                outcomes.ForEach(outcome => TaskResult.Write(json, VersionFor(lane), config, labels, outcome));
                json.WriteEndArray();
                json.WriteEndObject();
            });
    }

    private async Task<Outcome<DetectionAnswer>> PredictAsync(
        HttpContext context,
        ModelLane lane,
        DetectionFilter filter,
        ImageBody body,
        Base64Text? place,
        ImageTurns turns,
        int index)
    {
        var path = PredictRequest.PathFor(index);
        if (place is not { } text)
        {
            return Problem.BadParameter(path, "Its data does not name the picture that the configuration asks for.");
        }

        return await OpenAsync(context, body, text, path).UseAsync(
            images => door.DetectOneAsync(context, lane, filter, images.Images[0], path, turns, isFirst: index == 0));
    }

    private async Task<Outcome<ImageSet>> OpenAsync(HttpContext context, ImageBody body, Base64Text text, string path)
    {
        if (ImageUrl.FindPath(body.Bytes.Span, text) is not { } relative)
        {
            return await door.OpenAsync(context, body, [text], _ => path);
        }

        if (options.LabelStudio.Url.Length == 0)
        {
            return Problem.BadParameter(
                path,
                "Its picture is on Label Studio, whose address is not known here: set "
                + "Fpn:Compatibility:LabelStudio:Url, and list its host in Fpn:Fetch:Hosts.");
        }

        var url = $"{options.LabelStudio.Url.TrimEnd('/')}/{relative.TrimStart('/')}";
        if (!(await door.FetchAsync(context, url, path)).Succeeded(out var fetched, out var problem))
        {
            return problem;
        }

        var set = new ImageSet(1);
        set.Take(0, fetched);
        return set;
    }

    /// <summary>Notes the outcomes for the log.</summary>
    /// <returns>The first problem, if no task succeeded.</returns>
    private Problem? Summarize(HttpContext context, ModelLane lane, List<Outcome<DetectionAnswer>> outcomes)
    {
        var summary = new BatchSummary(lane.Model.Contract.Name, outcomes.Count);
        Problem? first = null;
        foreach (var outcome in outcomes)
        {
            if (outcome.Succeeded(out var answer, out var problem))
            {
                summary.Answered(answer.Detections.Count);
                continue;
            }

            first ??= problem;
            summary.Refused(problem);
            LogFailed(logger, problem.Parameter, problem.Detail);
        }

        if (summary.Problems.Count == outcomes.Count)
        {
            return first;
        }

        context.Features.Set(summary);
        return null;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A task of Label Studio has no prediction: {Task}: {Reason}")]
    private static partial void LogFailed(ILogger logger, string? task, string reason);
}
