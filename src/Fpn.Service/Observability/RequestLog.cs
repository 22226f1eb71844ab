using System.Globalization;
using System.Net;
using Fpn.Service.Answers;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Serilog.AspNetCore;
using Serilog.Events;
using Serilog.Parsing;

namespace Fpn.Service.Observability;

/// <summary>The log line of a request: status, time, model, detections, stage times, caller.</summary>
internal static class RequestLog
{
    /// <summary>
    /// The line: the outcome of the request, then the caller, by the name of the key and never by the key, and the id
    /// that the answer carries.
    /// </summary>
    private const string Template = "{Method} {Path} {Status} in {ElapsedMs} ms{Outcome}{Origin}";

    private static readonly MessageTemplateParser Parser = new();

    private static readonly MessageTemplate Origin =
        Parser.Parse(" [client {Client:l}, key {Key:l}, request {RequestId:l}]");

    private static readonly MessageTemplate Problem = Parser.Parse(": {Problem:l}: {Detail:l} (traceId {TraceId:l})");

    private static readonly MessageTemplate Detection = Parser.Parse(
        ": {Model:l} found {Detections} in {Width}x{Height} {Format:l}, batch {BatchSize}, decode {DecodeMs}, "
        + "preprocess {PreprocessMs}, queue {QueueMs}, inference {InferenceMs}, postprocess {PostprocessMs} ms");

    private static readonly MessageTemplate Images = Parser.Parse(": {Model:l} found {Detections} in {Images} images");

    private static readonly MessageTemplate Partly = Parser.Parse(
        ": {Model:l} found {Detections} in {Images} images, of which {Failed} failed: {Failures:l} "
        + "(traceId {TraceId:l})");

    private static readonly MessageTemplate Plain = Parser.Parse(string.Empty);

    /// <summary>Configures Serilog's request logging.</summary>
    /// <param name="options">Options of the middleware.</param>
    /// <param name="logger">The logger of this service, since other services may run in the process.</param>
    public static void Configure(RequestLoggingOptions options, Serilog.ILogger logger)
    {
        options.Logger = logger;
        options.MessageTemplate = Template;
        options.GetLevel = (context, _, exception) =>
            exception is null && IsQuiet(context) ? LogEventLevel.Debug : LogEventLevel.Information;
        options.GetMessageTemplateProperties = Describe;
    }

    /// <summary>Whether a request is a probe that succeeded: probes arrive every few seconds.</summary>
    private static bool IsQuiet(HttpContext context) =>
        context.Response.StatusCode == StatusCodes.Status200OK
        && (ProbePaths.Contain(context.Request.Path) || context.Features.Get<QuietProbe>() is not null)
        && context.Features.Get<Problem>() is null;

    private static List<LogEventProperty> Describe(HttpContext context, string path, double elapsedMs, int status)
    {
        var fields = new Fields();
        fields.Add("Method", context.Request.Method);
        fields.Add("Path", context.Request.Path.ToString());
        fields.Add("Status", status);
        fields.Add("ElapsedMs", Math.Round(elapsedMs, 1));
        var outcome = fields.Render(AddOutcome(context, fields));
        fields.Add("Client", Address(context.Connection.RemoteIpAddress));
        fields.Add("Key", context.Caller().Name ?? "-");
        fields.Add("RequestId", context.TraceIdentifier);
        var origin = fields.Render(Origin);
        fields.Add("Outcome", outcome);
        fields.Add("Origin", origin);
        return fields.ToProperties();
    }

    private static MessageTemplate AddOutcome(HttpContext context, Fields fields)
    {
        if (context.Features.Get<Problem>() is { } problem)
        {
            fields.Add("Problem", problem.Type);
            fields.Add("Detail", OneLine(problem.Detail));
            fields.Add("TraceId", ProblemResult.TraceId(context));
            return Problem;
        }

        if (context.Features.Get<DetectionAnswer>() is { } answer)
        {
            fields.Add("Model", answer.Contract.Name);
            fields.Add("Detections", answer.Found);
            fields.Add("Width", answer.Size.Width);
            fields.Add("Height", answer.Size.Height);
            fields.Add("Format", answer.FormatName);
            fields.Add("BatchSize", answer.BatchSize);
            fields.Add("DecodeMs", answer.Timings.DecodeMs);
            fields.Add("PreprocessMs", answer.Timings.PreprocessMs);
            fields.Add("QueueMs", answer.Timings.QueueMs);
            fields.Add("InferenceMs", answer.Timings.InferenceMs);
            fields.Add("PostprocessMs", answer.Timings.PostprocessMs);
            return Detection;
        }

        if (context.Features.Get<BatchSummary>() is not { } batch)
        {
            return Plain;
        }

        fields.Add("Model", batch.Model);
        fields.Add("Detections", batch.Detections);
        fields.Add("Images", batch.Images);
        if (batch.Problems.Count == 0)
        {
            return Images;
        }

        fields.Add("Failed", batch.Problems.Count);
        fields.Add("Failures", batch.Failures);
        fields.Add("TraceId", ProblemResult.TraceId(context));
        return Partly;
    }

    private static string Address(IPAddress? address) =>
        address is null ? "-" : (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();

    /// <summary>Replaces control characters: details quote the client, whose line ends would forge log lines.</summary>
    private static string OneLine(string detail) => detail.Any(char.IsControl)
        ? string.Create(detail.Length, detail, static (line, text) =>
        {
            for (var i = 0; i < line.Length; i++)
            {
                line[i] = char.IsControl(text[i]) ? ' ' : text[i];
            }
        })
        : detail;

    /// <summary>The values of a line by name.</summary>
    private sealed class Fields
    {
        private readonly Dictionary<string, LogEventPropertyValue> _values = new(StringComparer.Ordinal);

        public void Add(string name, object value) => _values.Add(name, new ScalarValue(value));

        public string Render(MessageTemplate template) => template.Render(_values, CultureInfo.InvariantCulture);

        public List<LogEventProperty> ToProperties() =>
            [.. _values.Select(value => new LogEventProperty(value.Key, value.Value))];
    }
}
