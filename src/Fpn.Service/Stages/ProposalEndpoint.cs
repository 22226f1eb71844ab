using System.Text.Json;
using Fpn.Models.Detectors;
using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Detect;
using Fpn.Service.Formats;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Stages;

/// <summary><c>POST /proposals</c>: the first stage alone.</summary>
internal sealed class ProposalEndpoint(
    ImageBodyReader reader, LaneRegistry lanes, StageRunner runner, BodyWait bodies)
{
    /// <summary>Answers one request.</summary>
    public async Task<IResult> HandleAsync(HttpContext context)
    {
        if (BodyEncoding.Check(context.Request) is { } compressed)
        {
            return new ProblemResult(compressed);
        }

        if (!ProposalQuery.Parse(context.Request.Query, lanes).Succeeded(out var query, out var problem))
        {
            return new ProblemResult(problem);
        }

        using (query)
        {
            if (FormatNegotiation.DependsOnAccept(query.Format))
            {
                context.Response.Headers.Vary = "Accept";
            }

            var sent = context.Request.Headers;
            if (!FormatNegotiation.Choose(query.Format, sent.Accept, ProposalQuery.Served)
                    .Succeeded(out var output, out problem)
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
                var task = new ProposalTask(query.Options);
                var result = await runner.RunAsync(context, query.Lane, headers, body.Bytes, task);
                return result.Succeeded(out var answer, out problem)
                    ? Write(answer, output, query.ImageId)
                    : new ProblemResult(problem);
            }
        }
    }

    private static IResult Write(DetectionAnswer answer, OutputChoice output, long imageId) =>
        output.Format == OutputFormat.Json
            ? Results.Json(answer.ToProposals(), AnswerJsonContext.Readable.ProposalsResponse)
            : Results.Bytes(
                JsonSerializer.SerializeToUtf8Bytes(
                    CocoFormat.ConvertProposals(answer, imageId), FormatJsonContext.Readable.CocoResponseArray),
                output.ContentType);
}
