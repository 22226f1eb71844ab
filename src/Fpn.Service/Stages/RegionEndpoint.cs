using Fpn.Models.Detectors;
using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Detect;
using Fpn.Service.Formats;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Stages;

/// <summary><c>POST /regions</c>: the second stage alone, on given boxes.</summary>
internal sealed class RegionEndpoint(
    RegionBodyReader reader, LaneRegistry lanes, StageRunner runner, BodyWait bodies)
{
    /// <summary>Answers one request.</summary>
    public async Task<IResult> HandleAsync(HttpContext context)
    {
        if (BodyEncoding.Check(context.Request) is { } compressed)
        {
            return new ProblemResult(compressed);
        }

        if (!RegionQuery.Parse(context.Request.Query, lanes).Succeeded(out var query, out var problem))
        {
            return new ProblemResult(problem);
        }

        using (query)
        {
            var sent = context.Request.Headers;
            if (!FormatNegotiation.Choose(asked: null, sent.Accept, RegionQuery.Served).Succeeded(out _, out problem)
                || !DetectHeaders.Parse(sent, context.Caller()).Succeeded(out var headers, out problem))
            {
                return new ProblemResult(problem);
            }

            var read = await bodies.ForAsync(context, token => reader.ReadAsync(context.Request, token));
            if (!read.Succeeded(out var body, out problem))
            {
                return new ProblemResult(problem);
            }

            using (body)
            {
                var task = new RegionTask(body.Boxes, query.Top);
                var result = await runner.RunAsync(context, query.Lane, headers, body.Image, task);
                return result.Succeeded(out var answer, out problem)
                    ? Results.Json(answer.ToRegions(), AnswerJsonContext.Readable.RegionsResponse)
                    : new ProblemResult(problem);
            }
        }
    }
}
