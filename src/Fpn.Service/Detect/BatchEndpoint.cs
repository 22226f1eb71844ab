using System.Buffers;
using System.Text.Json;
using Fpn.Imaging.Painting;
using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Engine;
using Fpn.Service.Formats;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;
using Fpn.Serving.Pipeline;
using Fpn.Serving.Requests;

namespace Fpn.Service.Detect;

/// <summary><c>POST /detect/batch</c>.</summary>
/// <remarks>
/// Detection starts when the last byte of an image has arrived, while later images are still read. The answer starts
/// when the whole form has been read, since a broken form is refused as a whole, and then goes out image by image in
/// the order sent. Pictures are drawn when it is their turn, so that one at a time waits for the client.
/// </remarks>
internal sealed partial class BatchEndpoint(
    BatchBodyReader reader,
    LaneRegistry lanes,
    DetectionPipeline pipeline,
    PicturePainter painter,
    LimitsOptions limits,
    BodyWait bodies,
    TimeProvider clock,
    ILogger<BatchEndpoint> logger)
{
    /// <summary>Answers one request.</summary>
    public async Task<IResult> HandleAsync(HttpContext context)
    {
        if (!ImageRequest<DetectQuery>.Read(context, lanes).Succeeded(out var request, out var problem))
        {
            return new ProblemResult(problem);
        }

        using (request)
        {
            if (request.Query.ImageId > long.MaxValue - limits.MaxBatchImages)
            {
                return new ProblemResult(Problem.BadParameter(
                    "imageId", "The images of a batch are counted on from imageId, which is too large for that."));
            }

            var turns = new ImageTurns();
            await using var batch = new DetectionBatch(
                (body, givenUp) => DetectAsync(context, request, body, turns, givenUp),
                keepsBodies: request.Output.Format == OutputFormat.Image,
                clock);
            var read = await bodies.ForAsync(context, token => reader.ReadAsync(context.Request, batch, token));
            context.Caller().ChargeMore(Math.Max(0, batch.Images.Count - 1));
            if (!read.Succeeded(out _, out problem))
            {
                return new ProblemResult(problem);
            }

            await WriteAsync(context, request, batch);
            return Results.Empty;
        }
    }

    private async Task<Outcome<DetectionAnswer>> DetectAsync(
        HttpContext context,
        ImageRequest<DetectQuery> request,
        ImageBody body,
        ImageTurns turns,
        CancellationToken givenUp)
    {
        try
        {
            var image = CreateRequest(context, request, body.Bytes, clock.GetTimestamp(), givenUp);
            var result = await pipeline.DetectAsync(request.Query.Lane, image, turns);
            return result.Succeeded
                ? DetectionAnswer.Create(request.Query.Contract, request.Query.Filter, result.Value)
                : Log(context, FailureProblems.ProblemFor(result.Failure));
        }
#pragma warning disable CA1031 // Whatever it was, it is this image's alone; the others are answered.
        catch (Exception exception) when (
            !context.RequestAborted.IsCancellationRequested && !givenUp.IsCancellationRequested)
#pragma warning restore CA1031
        {
            return Log(context, FailureProblems.FromException(exception));
        }
    }

    private static DetectionRequest CreateRequest(
        HttpContext context,
        ImageRequest<DetectQuery> request,
        ReadOnlyMemory<byte> image,
        long arrived,
        CancellationToken givenUp) => new(image)
        {
            Priority = request.Headers.Priority,
            Timeout = request.Headers.Timeout,
            Explain = request.Query.Explain,
            Views = request.Query.Views,
            Cancellation = context.RequestAborted,
            GivenUp = givenUp,
            Admitted = context.Caller().ChargeViews,
            Arrived = arrived,
        };

    private async Task WriteAsync(HttpContext context, ImageRequest<DetectQuery> request, DetectionBatch batch)
    {
        var summary = new BatchSummary(request.Query.Contract.Name, batch.Images.Count);
        context.Features.Set(summary);
        context.Response.ContentType = "application/json; charset=utf-8";
        var output = context.Response.BodyWriter;
        output.Write("{\"results\":["u8);
        for (var i = 0; i < batch.Images.Count; i++)
        {
            if (i > 0)
            {
                output.Write(","u8);
            }

            var image = batch.Images[i];
            var answer = await image.Answer;
            if (request.Output.Format == OutputFormat.Image)
            {
                await WritePictureAsync(context, request, image, answer, summary);
            }
            else if (answer.Succeeded(out var found, out var problem))
            {
                summary.Answered(found.Detections.Count);
                AnswerText.WriteElement(request.Output.Format, found, request.Query.ImageId + i, output);
            }
            else
            {
                WriteProblem(context, problem, summary);
            }

            await output.FlushAsync(context.RequestAborted);
        }

        output.Write("]}"u8);
        await output.FlushAsync(context.RequestAborted);
    }

    private async Task WritePictureAsync(
        HttpContext context,
        ImageRequest<DetectQuery> request,
        DetectionBatch.Image image,
        Outcome<DetectionAnswer> answer,
        BatchSummary summary)
    {
        if (!answer.Succeeded(out var found, out var problem)
            || !(await PaintAsync(context, request, image, found)).Succeeded(out var picture, out problem))
        {
            WriteProblem(context, problem, summary);
            return;
        }

        using (picture)
        {
            image.Dispose();
            summary.Answered(found.Detections.Count);
            await PictureResult.WriteDataUriAsync(
                picture, request.Output.MediaType, context.Response.BodyWriter, context.RequestAborted);
        }
    }

    private async Task<Outcome<EncodedPicture>> PaintAsync(
        HttpContext context, ImageRequest<DetectQuery> request, DetectionBatch.Image image, DetectionAnswer found)
    {
        try
        {
            var again = CreateRequest(context, request, image.Bytes, image.Arrived, givenUp: default);
            return await painter.PaintAsync(found, again, request.Output.Encoding);
        }
#pragma warning disable CA1031 // Whatever it was, it is this image's alone; the others are answered.
        catch (Exception exception) when (!context.RequestAborted.IsCancellationRequested)
#pragma warning restore CA1031
        {
            return Log(context, FailureProblems.FromException(exception));
        }
    }

    private static void WriteProblem(HttpContext context, Problem problem, BatchSummary summary)
    {
        summary.Refused(problem);
        using var json = new Utf8JsonWriter(
            context.Response.BodyWriter, new JsonWriterOptions { Encoder = ReadableEncoder.Instance });
        JsonSerializer.Serialize(
            json, ProblemResult.Details(problem, context), ProblemJsonContext.Readable.ProblemDetails);
    }

    private Problem Log(HttpContext context, Problem problem)
    {
        if (problem.Cause is { } cause)
        {
            LogFailure(logger, context.Request.Path, ProblemResult.TraceId(context), cause);
        }

        return problem;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "An image of {Path} failed (traceId {TraceId})")]
    private static partial void LogFailure(ILogger logger, string path, string traceId, Exception exception);
}
