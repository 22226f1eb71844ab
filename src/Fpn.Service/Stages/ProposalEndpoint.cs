using System.Text.Json;
using Fpn.Models.Detectors;
using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Detect;
using Fpn.Service.Formats;
using Fpn.Service.Problems;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Stages;

/// <summary><c>POST /proposals</c>: the first stage alone.</summary>
internal sealed class ProposalEndpoint(
    ImageBodyReader reader, LaneRegistry lanes, StageRunner runner, BodyWait bodies)
    : ImageEndpoint<ProposalQuery, ImageBody>(lanes, bodies)
{
    /// <inheritdoc/>
    protected override Task<Outcome<ImageBody>> ReadAsync(HttpRequest request, CancellationToken cancellationToken) =>
        reader.ReadAsync(request, cancellationToken);

    /// <inheritdoc/>
    protected override async Task<IResult> AnswerAsync(
        HttpContext context, ImageRequest<ProposalQuery> request, ImageBody body)
    {
        var query = request.Query;
        var task = new ProposalTask(query.Options);
        var result = await runner.RunAsync(context, query.Lane, request.Headers, body.Bytes, task);
        return result.Succeeded(out var answer, out var problem)
            ? Write(answer, request.Output, query.ImageId)
            : new ProblemResult(problem);
    }

    private static IResult Write(DetectionAnswer answer, OutputChoice output, long imageId) =>
        output.Format == OutputFormat.Json
            ? Results.Json(answer.ToProposals(), AnswerJsonContext.Readable.ProposalsResponse)
            : Results.Bytes(
                JsonSerializer.SerializeToUtf8Bytes(
                    CocoFormat.ConvertProposals(answer, imageId), FormatJsonContext.Readable.CocoResponseArray),
                output.ContentType);
}
