using Fpn.Models.Detectors;
using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Detect;
using Fpn.Service.Engine;
using Fpn.Service.Problems;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Stages;

/// <summary><c>POST /regions</c>: the second stage alone, on given boxes.</summary>
internal sealed class RegionEndpoint(
    RegionBodyReader reader, LimitsOptions limits, LaneRegistry lanes, StageRunner runner, BodyWait bodies)
    : ImageEndpoint<RegionQuery, RegionBody>(lanes, bodies)
{
    /// <summary>Scores of an answer, for each region that a request may have: a request with fewer boxes may ask for
    /// more of each.</summary>
    private const int ScoresPerRegion = 100;

    /// <summary>Checks how many scores the answer would have.</summary>
    /// <param name="boxes">Boxes of the request.</param>
    /// <param name="classes">Classes listed for each of them.</param>
    /// <param name="maxRegions">The most boxes of a request.</param>
    /// <returns>Null, or the problem.</returns>
    internal static Problem? CheckScores(int boxes, int classes, int maxRegions)
    {
        var most = (long)maxRegions * ScoresPerRegion;
        return (long)boxes * classes > most ? Problem.TooManyScores(boxes, classes, most) : null;
    }

    /// <inheritdoc/>
    protected override Task<Outcome<RegionBody>> ReadAsync(HttpRequest request, CancellationToken cancellationToken) =>
        reader.ReadAsync(request, cancellationToken);

    /// <inheritdoc/>
    protected override async Task<IResult> AnswerAsync(
        HttpContext context, ImageRequest<RegionQuery> request, RegionBody body)
    {
        var labels = request.Query.Lane.Model.Contract.Labels.Count;
        if (CheckScores(body.Boxes.Count, Math.Min(request.Query.Top, labels), limits.MaxRegions) is { } tooMany)
        {
            return new ProblemResult(tooMany);
        }

        var task = new RegionTask(body.Boxes, request.Query.Top);
        var result = await runner.RunAsync(context, request.Query.Lane, request.Headers, body.Image, task);
        return result.Succeeded(out var answer, out var problem)
            ? Results.Json(answer.ToRegions(), AnswerJsonContext.Readable.RegionsResponse)
            : new ProblemResult(problem);
    }
}
