using System.Globalization;
using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Formats;
using Fpn.Service.Problems;
using Fpn.Serving.Lanes;
using Fpn.Serving.Pipeline;

namespace Fpn.Service.Detect;

/// <summary><c>POST /detect</c>.</summary>
/// <param name="reader">Takes the image out of the request.</param>
/// <param name="lanes">The models.</param>
/// <param name="pipeline">Runs them.</param>
/// <param name="painter">Draws, where a picture is the answer.</param>
/// <param name="bodies">Waits for the request's body.</param>
/// <param name="clock">Tells the time.</param>
internal sealed class DetectionEndpoint(
    ImageBodyReader reader,
    LaneRegistry lanes,
    DetectionPipeline pipeline,
    PicturePainter painter,
    BodyWait bodies,
    TimeProvider clock)
{
    /// <summary>Answers one request.</summary>
    public async Task<IResult> HandleAsync(HttpContext context)
    {
        if (!DetectRequest.Read(context, lanes).Succeeded(out var request, out var problem))
        {
            return new ProblemResult(problem);
        }

        using (request)
        {
            var read = await bodies.ForAsync(context, token => reader.ReadAsync(context.Request, token));
            if (!read.Succeeded(out var body, out problem))
            {
                return new ProblemResult(problem);
            }

            using (body)
            {
                return await DetectAsync(context, request, body);
            }
        }
    }

    private async Task<IResult> DetectAsync(HttpContext context, DetectRequest request, ImageBody body)
    {
        var arrived = clock.GetTimestamp();
        var (query, output, headers) = (request.Query, request.Output, request.Headers);
        var result = await pipeline.DetectAsync(
            query.Lane, body.Bytes, headers.Priority, headers.Timeout, context.RequestAborted, explain: query.Explain);
        if (result.Failure is not null)
        {
            return new ProblemResult(FailureProblems.Of(result));
        }

        var answer = DetectionAnswer.Create(query.Contract, query.Filter, result);
        context.Features.Set(answer);
        context.Response.Headers.Append("Server-Timing", answer.ServerTiming);
        switch (output.Format)
        {
            case OutputFormat.Json:
                return Results.Json(answer.ToResponse(), AnswerJsonContext.Readable.DetectionResponse);
            case OutputFormat.Image:
                var start = clock.GetTimestamp();
                var painted = await painter.PaintAsync(
                    answer, body.Bytes, output.Encoding, headers.Timeout, arrived, context.RequestAborted);
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
