using Fpn.Models.Detectors;
using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Detect;
using Fpn.Service.Problems;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Stages;

/// <summary><c>POST /regions</c>: the second stage alone, on given boxes.</summary>
internal sealed class RegionEndpoint(
    RegionBodyReader reader, LaneRegistry lanes, StageRunner runner, BodyWait bodies)
    : ImageEndpoint<RegionQuery, RegionBody>(lanes, bodies)
{
    /// <inheritdoc/>
    protected override Task<Outcome<RegionBody>> ReadAsync(HttpRequest request, CancellationToken cancellationToken) =>
        reader.ReadAsync(request, cancellationToken);

    /// <inheritdoc/>
    protected override async Task<IResult> AnswerAsync(
        HttpContext context, ImageRequest<RegionQuery> request, RegionBody body)
    {
        var task = new RegionTask(body.Boxes, request.Query.Top);
        var result = await runner.RunAsync(context, request.Query.Lane, request.Headers, body.Image, task);
        return result.Succeeded(out var answer, out var problem)
            ? Results.Json(answer.ToRegions(), AnswerJsonContext.Readable.RegionsResponse)
            : new ProblemResult(problem);
    }
}
