using System.Globalization;
using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Formats;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;
using Fpn.Serving.Pipeline;
using Fpn.Serving.Requests;

namespace Fpn.Service.Detect;

/// <summary><c>POST /detect</c>.</summary>
internal sealed class DetectionEndpoint(
    ImageBodyReader reader,
    LaneRegistry lanes,
    DetectionPipeline pipeline,
    PicturePainter painter,
    BodyWait bodies,
    TimeProvider clock)
    : ImageEndpoint<DetectQuery, ImageBody>(lanes, bodies)
{
    /// <inheritdoc/>
    protected override Task<Outcome<ImageBody>> ReadAsync(HttpRequest request, CancellationToken cancellationToken) =>
        reader.ReadAsync(request, cancellationToken);

    /// <inheritdoc/>
    protected override async Task<IResult> AnswerAsync(
        HttpContext context, ImageRequest<DetectQuery> request, ImageBody body)
    {
        var (query, output) = (request.Query, request.Output);
        var image = new DetectionRequest(body.Bytes)
        {
            Priority = request.Headers.Priority,
            Timeout = request.Headers.Timeout,
            Explain = query.Explain,
            Views = query.Views,
            IsDrawn = output.Format == OutputFormat.Image,
            Cancellation = context.RequestAborted,
            Admitted = context.Caller().ChargeViews,
            Arrived = clock.GetTimestamp(),
        };
        var result = await pipeline.DetectAsync(query.Lane, image);
        if (!result.Succeeded)
        {
            return new ProblemResult(FailureProblems.ProblemFor(result.Failure));
        }

        var answer = DetectionAnswer.Create(query.Contract, query.Filter, result.Value);
        context.Features.Set(answer);
        context.Response.Headers.Append("Server-Timing", answer.ServerTiming);
        switch (output.Format)
        {
            case OutputFormat.Json:
                return Results.Json(answer.ToResponse(), AnswerJsonContext.Readable.DetectionResponse);
            case OutputFormat.Image:
                var start = clock.GetTimestamp();
                var painted = await painter.PaintAsync(answer, image, output.Encoding);
                var paint = clock.GetElapsedTime(start).TotalMilliseconds;
                context.Response.Headers.Append(
                    "Server-Timing", string.Create(CultureInfo.InvariantCulture, $"paint;dur={paint:0.###}"));
                return painted.Succeeded(out var picture, out var problem)
                    ? new PictureResult(picture, output.MediaType)
                    : new ProblemResult(problem);
            default:
                return Results.Bytes(AnswerText.Body(output.Format, answer, query.ImageId), output.ContentType);
        }
    }
}
