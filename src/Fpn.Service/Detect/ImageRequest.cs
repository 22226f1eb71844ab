using Fpn.Service.Bodies;
using Fpn.Service.Formats;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Detect;

/// <summary>A request to an endpoint that takes images, except for its body.</summary>
/// <typeparam name="TQuery">The endpoint's query.</typeparam>
internal sealed class ImageRequest<TQuery> : IDisposable
    where TQuery : class, IImageQuery<TQuery>
{
    private ImageRequest(TQuery query, OutputChoice output, DetectHeaders headers) =>
        (Query, Output, Headers) = (query, output, headers);

    /// <summary>The query; it holds the model until this is disposed.</summary>
    public TQuery Query { get; }

    /// <summary>The format of the answer.</summary>
    public OutputChoice Output { get; }

    /// <summary>Its priority and deadline.</summary>
    public DetectHeaders Headers { get; }

    /// <summary>Reads the query and the headers.</summary>
    /// <returns>The request, which the caller disposes, or the first problem.</returns>
    public static Outcome<ImageRequest<TQuery>> Read(HttpContext context, LaneRegistry lanes)
    {
        if (BodyEncoding.Check(context.Request) is { } compressed)
        {
            return compressed;
        }

        if (!TQuery.Parse(context.Request.Query, lanes).Succeeded(out var query, out var problem))
        {
            return problem;
        }

        if (FormatNegotiation.DependsOnAccept(query.Format, TQuery.Served))
        {
            context.Response.Headers.Vary = "Accept";
        }

        var sent = context.Request.Headers;
        if (FormatNegotiation.Choose(query.Format, sent.Accept, TQuery.Served).Succeeded(out var output, out problem)
            && DetectHeaders.Parse(sent, context.Caller()).Succeeded(out var headers, out problem)
            && (problem = query.Check(output)) is null)
        {
            return new ImageRequest<TQuery>(query, output, headers);
        }

        query.Dispose();
        return problem;
    }

    /// <inheritdoc/>
    public void Dispose() => Query.Dispose();
}
