using Fpn.Service.Bodies;
using Fpn.Service.Problems;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Detect;

/// <summary>An endpoint that answers about one image: what its requests go through before the model is asked.</summary>
/// <typeparam name="TQuery">Its query.</typeparam>
/// <typeparam name="TBody">Its body, which holds the image.</typeparam>
internal abstract class ImageEndpoint<TQuery, TBody>(LaneRegistry lanes, BodyWait bodies)
    where TQuery : class, IImageQuery<TQuery>
    where TBody : class, IDisposable
{
    /// <summary>Answers one request.</summary>
    public async Task<IResult> HandleAsync(HttpContext context)
    {
        if (!ImageRequest<TQuery>.Read(context, lanes).Succeeded(out var request, out var problem))
        {
            return new ProblemResult(problem);
        }

        using (request)
        {
            var read = await bodies.ForAsync(context, token => ReadAsync(context.Request, token));
            if (!read.Succeeded(out var body, out problem))
            {
                return new ProblemResult(problem);
            }

            using (body)
            {
                return await AnswerAsync(context, request, body);
            }
        }
    }

    /// <summary>Reads the body.</summary>
    /// <returns>The body, which the caller disposes, or its problem.</returns>
    /// <exception cref="BadHttpRequestException">The body ended early or came too slowly.</exception>
    protected abstract Task<Outcome<TBody>> ReadAsync(HttpRequest request, CancellationToken cancellationToken);

    /// <summary>Asks the model, and answers.</summary>
    /// <param name="context">The request.</param>
    /// <param name="request">Query and headers.</param>
    /// <param name="body">In use until the task is done.</param>
    protected abstract Task<IResult> AnswerAsync(HttpContext context, ImageRequest<TQuery> request, TBody body);
}
