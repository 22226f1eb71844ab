using System.Net;
using Fpn.Service.Api;
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
        if (context.Features.Get<Problem>() is { } problem)
        {
            metrics.RecordProblem(problem);
            var traceId = ProblemResult.TraceId(context);
            var detail = OneLine(problem.Detail);
            LogProblem(logger, request.Method, request.Path, status, elapsedMs, problem.Type, detail, traceId, client, key, requestId);
        }
        else if (context.Features.Get<DetectionAnswer>() is { } answer)
        {
            LogDetection(
                logger,
                request.Method,
                request.Path,
                status,
                elapsedMs,
                answer.Contract.Name,
                answer.Detections.Count,
                answer.Size.Width,
                answer.Size.Height,
                answer.FormatName,
                answer.BatchSize,
                answer.Timings.DecodeMs,
                answer.Timings.PreprocessMs,
                answer.Timings.QueueMs,
                answer.Timings.InferenceMs,
                answer.Timings.PostprocessMs,
                client,
                key,
                requestId);
        }
        else if (context.Features.Get<BatchSummary>() is { } batch)
        {
            LogBatch(context, batch, elapsedMs, client, key);
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

    private void LogBatch(HttpContext context, BatchSummary batch, double elapsedMs, string client, string key)
    {
        var (request, status) = (context.Request, context.Response.StatusCode);
        var (model, found, images, requestId) = (batch.Model, batch.Detections, batch.Images, context.TraceIdentifier);
        if (batch.Problems.Count == 0)
        {
            LogImages(logger, request.Method, request.Path, status, elapsedMs, model, found, images, client, key, requestId);
            return;
        }

        foreach (var problem in batch.Problems)
        {
            metrics.RecordProblem(problem);
        }

        var (failed, failures, traceId) = (batch.Problems.Count, batch.Failures, ProblemResult.TraceId(context));
        LogPartly(
            logger,
            request.Method,
            request.Path,
            status,
            elapsedMs,
            model,
            found,
            images,
            failed,
            failures,
            traceId,
            client,
            key,
            requestId);
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
    private static partial void LogImages(
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

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "{Method} {Path} {Status} in {ElapsedMs} ms: {Model} found {Detections} in {Images} images, "
            + "of which {Failed} failed: {Failures} (traceId {TraceId})" + Origin)]
    private static partial void LogPartly(
        ILogger logger,
        string method,
        PathString path,
        int status,
        double elapsedMs,
        string model,
        int detections,
        int images,
        int failed,
        string failures,
        string traceId,
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
