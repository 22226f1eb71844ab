using Fpn.Service.Bodies;
using Fpn.Service.Formats;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Detect;

/// <summary>A request to <c>/detect</c> or <c>/detect/batch</c>, except for its body.</summary>
internal sealed class DetectRequest : IDisposable
{
    private DetectRequest(DetectQuery query, OutputChoice output, DetectHeaders headers) =>
        (Query, Output, Headers) = (query, output, headers);

    /// <summary>The query; it holds the model until this is disposed.</summary>
    public DetectQuery Query { get; }

    /// <summary>The format of the answer.</summary>
    public OutputChoice Output { get; }

    /// <summary>Its priority and deadline.</summary>
    public DetectHeaders Headers { get; }

    /// <summary>Reads the query and the headers.</summary>
    /// <returns>The request, which the caller disposes, or the first problem.</returns>
    public static Outcome<DetectRequest> Read(HttpContext context, LaneRegistry lanes)
    {
        if (BodyEncoding.Check(context.Request) is { } compressed)
        {
            return compressed;
        }

        if (!DetectQuery.Parse(context.Request.Query, lanes).Succeeded(out var query, out var problem))
        {
            return problem;
        }

        if (FormatNegotiation.DependsOnAccept(query.Format))
        {
            context.Response.Headers.Vary = "Accept";
        }

        var sent = context.Request.Headers;
        if (!FormatNegotiation.Choose(query.Format, sent.Accept).Succeeded(out var output, out problem)
            || !DetectHeaders.Parse(sent, context.Caller()).Succeeded(out var headers, out problem))
        {
            query.Dispose();
            return problem;
        }

        if (query.Explain && output.Format != OutputFormat.Json)
        {
            query.Dispose();
            return Problem.BadParameter(
                "explain", "Only the format json can explain. Ask with format=json, or without explain.");
        }

        return new DetectRequest(query, output, headers);
    }

    /// <inheritdoc/>
    public void Dispose() => Query.Dispose();
}
