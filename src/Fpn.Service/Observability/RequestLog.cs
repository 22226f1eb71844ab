using System.Net;
using Fpn.Service.Api;
using Fpn.Service.Api.OpenInference;
using Fpn.Service.Api.Security;

namespace Fpn.Service.Observability;

/// <summary>Writes one line a request: status, model, detections, times; counts problems, completes the span.</summary>
/// <param name="next">The rest of the pipeline.</param>
/// <param name="logger">Where the line goes.</param>
/// <param name="metrics">Counts.</param>
/// <param name="clock">Measures the whole request.</param>
internal sealed partial class RequestLog(
    RequestDelegate next, ILogger<RequestLog> logger, ServiceMetrics metrics, TimeProvider clock)
{
    /// <summary>Ends each line: who asked, by the name of the key and never by the key, and the id that the answer carried.</summary>
    private const string Origin = " [client {Client}, key {Key}, request {RequestId}]";

    /// <summary>Runs the request and logs it.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        var start = clock.GetTimestamp();
        try
        {
            await next(context);
        }
        finally
        {
            RequestSpan.Complete(context);
            Log(context, Math.Round(clock.GetElapsedTime(start).TotalMilliseconds, 1));
        }
    }

    private void Log(HttpContext context, double elapsedMs)
    {
        var request = context.Request;
        var status = context.Response.StatusCode;
        var client = Address(context.Connection.RemoteIpAddress);
        var key = context.Caller().Name ?? "-";
        var requestId = context.TraceIdentifier;
        if (context.Features.Get<DetectionResponse>() is { } response)
        {
            LogDetection(
                logger,
                request.Method,
                request.Path,
                status,
                elapsedMs,
                response.Model,
                response.Detections.Count,
                response.Image.Width,
                response.Image.Height,
                response.Image.Format,
                response.BatchSize,
                response.Timings.DecodeMs,
                response.Timings.PreprocessMs,
                response.Timings.QueueMs,
                response.Timings.InferenceMs,
                response.Timings.PostprocessMs,
                client,
                key,
                requestId);
        }
        else if (context.Features.Get<InferSummary>() is { } summary)
        {
            LogInference(
                logger, request.Method, request.Path, status, elapsedMs, summary.Model, summary.Detections, summary.Images, client, key, requestId);
        }
        else if (context.Features.Get<Problem>() is { } problem)
        {
            metrics.RecordProblem(problem);
            var traceId = ProblemResult.TraceId(context);
            var detail = OneLine(problem.Detail);
            LogProblem(logger, request.Method, request.Path, status, elapsedMs, problem.Type, detail, traceId, client, key, requestId);
        }
        else if (ProbePaths.Contain(request.Path) && status == StatusCodes.Status200OK)
        {
            LogProbe(logger, request.Method, request.Path, status, elapsedMs);
        }
        else
        {
            LogRequest(logger, request.Method, request.Path, status, elapsedMs, client, key, requestId);
        }
    }

    private static string Address(IPAddress? address) =>
        address is null ? "-" : (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();

    /// <summary>Details quote what the client sent: line ends in it would forge lines of the log.</summary>
    private static string OneLine(string detail) => detail.Any(char.IsControl)
        ? string.Create(detail.Length, detail, static (line, text) =>
        {
            for (var i = 0; i < line.Length; i++)
            {
                line[i] = char.IsControl(text[i]) ? ' ' : text[i];
            }
        })
        : detail;

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "{Method} {Path} {Status} in {ElapsedMs} ms: {Model} found {Detections} in {Width}x{Height} {Format}, batch {BatchSize}, "
            + "decode {DecodeMs}, preprocess {PreprocessMs}, queue {QueueMs}, inference {InferenceMs}, postprocess {PostprocessMs} ms" + Origin)]
    private static partial void LogDetection(
        ILogger logger,
        string method,
        PathString path,
        int status,
        double elapsedMs,
        string model,
        int detections,
        int width,
        int height,
        string format,
        int batchSize,
        double decodeMs,
        double preprocessMs,
        double queueMs,
        double inferenceMs,
        double postprocessMs,
        string client,
        string key,
        string requestId);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "{Method} {Path} {Status} in {ElapsedMs} ms: {Model} found {Detections} in {Images} images" + Origin)]
    private static partial void LogInference(
        ILogger logger,
        string method,
        PathString path,
        int status,
        double elapsedMs,
        string model,
        int detections,
        int images,
        string client,
        string key,
        string requestId);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Method} {Path} {Status} in {ElapsedMs} ms: {Problem}: {Detail} (traceId {TraceId})" + Origin)]
    private static partial void LogProblem(
        ILogger logger,
        string method,
        PathString path,
        int status,
        double elapsedMs,
        string problem,
        string detail,
        string traceId,
        string client,
        string key,
        string requestId);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Method} {Path} {Status} in {ElapsedMs} ms" + Origin)]
    private static partial void LogRequest(
        ILogger logger, string method, PathString path, int status, double elapsedMs, string client, string key, string requestId);

    /// <summary>Probes come every few seconds for ever: they are not worth a line unless they fail.</summary>
    [LoggerMessage(Level = LogLevel.Debug, Message = "{Method} {Path} {Status} in {ElapsedMs} ms")]
    private static partial void LogProbe(ILogger logger, string method, PathString path, int status, double elapsedMs);
}
