using System.Globalization;
using Fpn.Service.Api.Security;
using Fpn.Service.Batching;
using Microsoft.Net.Http.Headers;

namespace Fpn.Service.Api;

/// <summary><c>POST /detect</c>.</summary>
/// <param name="reader">Takes the image out of the request.</param>
/// <param name="lanes">The models.</param>
/// <param name="pipeline">Runs them.</param>
/// <param name="bodies">Waits for the request's body.</param>
internal sealed class DetectionEndpoint(ImageBodyReader reader, LaneRegistry lanes, DetectionPipeline pipeline, BodyWait bodies)
{
    /// <summary>Answers one request.</summary>
    public async Task<IResult> HandleAsync(HttpContext context)
    {
        BodyWait.LiftServerLimit(context);
        if (!DetectQuery.Parse(context.Request.Query, lanes).Succeeded(out var query, out var problem))
        {
            return new ProblemResult(problem);
        }

        using (query)
        {
            if (!AcceptsJson(context.Request).Succeeded(out _, out problem)
                || !DetectHeaders.Parse(context.Request.Headers, context.Caller()).Succeeded(out var headers, out problem)
                || !(await bodies.ForAsync(context, token => reader.ReadAsync(context.Request, token))).Succeeded(out var body, out problem))
            {
                return new ProblemResult(problem);
            }

            using (body)
            {
                return await DetectAsync(context, query, headers, body);
            }
        }
    }

    private async Task<IResult> DetectAsync(HttpContext context, DetectQuery query, DetectHeaders headers, ImageBody body)
    {
        var result = await pipeline.DetectAsync(query.Lane, body.Bytes, headers.Priority, headers.Timeout, context.RequestAborted);
        if (result.Failure is { } failure)
        {
            return new ProblemResult(OfFailure(failure, result));
        }

        var response = Respond(query, result);
        context.Features.Set(response);
        context.Response.Headers.Append("Server-Timing", ServerTiming(response.Timings));
        return Results.Json(response, ApiJsonContext.Default.DetectionResponse);
    }

    private static Outcome<HttpRequest> AcceptsJson(HttpRequest request)
    {
        var accept = request.Headers.Accept;
        if (accept.Count == 0 || !MediaTypeHeaderValue.TryParseList(accept, out var ranges))
        {
            return request;
        }

        // Parameters such as charset=utf-8 make no difference to what is sent.
        var matching = ranges.Where(range =>
            range.MatchesAllTypes || (range.Type.Equals("application", StringComparison.OrdinalIgnoreCase)
                && (range.MatchesAllSubTypes || range.SubType.Equals("json", StringComparison.OrdinalIgnoreCase)))).ToList();
        var excluded = matching.Any(range => range.Quality == 0 && !range.MatchesAllSubTypes);
        return !excluded && matching.Any(range => range.Quality != 0) ? request : Problem.NotAcceptable(accept.ToString());
    }

    /// <summary>The problem of an image that has no detections.</summary>
    public static Problem OfFailure(DetectionFailure failure, DetectionResult result) => failure switch
    {
        DetectionFailure.UnsupportedFormat => Problem.UnsupportedImageFormat(result.FailureDetail),
        DetectionFailure.TooManyPixels => Problem.TooManyPixels(result.FailureDetail),
        DetectionFailure.Undecodable => Problem.UndecodableImage(result.FailureDetail),
        DetectionFailure.QueueFull => Problem.QueueFull(result.FailureDetail, result.RetryAfter),
        DetectionFailure.DeadlinePassed => Problem.DeadlinePassed(result.FailureDetail),
        DetectionFailure.ShuttingDown => Problem.ShuttingDown(result.FailureDetail),
        _ => Problem.DeviceLost(result.FailureDetail),
    };

    private static DetectionResponse Respond(DetectQuery query, DetectionResult result)
    {
        var contract = query.Contract;
        var detections = query.Filter.Apply(result.Detections).Select(detection => new DetectedObjectResponse(
            contract.Labels[detection.Label],
            contract.ClassIds[detection.Label],
            DetectionFilter.ReportedScore(detection),
            new BoxResponse(Coordinate(detection.Box.X1), Coordinate(detection.Box.Y1), Coordinate(detection.Box.X2), Coordinate(detection.Box.Y2)),
            detection.Level));
        var times = result.Times;
        return new DetectionResponse(
            contract.Name,
            contract.Version,
            new ImageResponse(result.Size.Width, result.Size.Height, result.Format.ToString().ToLowerInvariant()),
            [.. detections],
            new TimingsResponse(
                Milliseconds(times.Decode),
                Milliseconds(times.Preprocess),
                Milliseconds(times.Queue),
                Milliseconds(times.Inference),
                Milliseconds(times.Postprocess),
                Milliseconds(times.Total)),
            result.BatchSize);
    }

    private static double Coordinate(float value) => Math.Round((double)value, 3);

    private static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 3);

    private static string ServerTiming(TimingsResponse timings) => string.Create(
        CultureInfo.InvariantCulture,
        $"decode;dur={timings.DecodeMs}, preprocess;dur={timings.PreprocessMs}, queue;dur={timings.QueueMs}, inference;dur={timings.InferenceMs}, postprocess;dur={timings.PostprocessMs}, total;dur={timings.TotalMs}");
}
