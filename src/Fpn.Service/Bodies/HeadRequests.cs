namespace Fpn.Service.Bodies;

/// <summary>Serves HEAD wherever GET is served: as GET, whose body the server leaves out.</summary>
/// <param name="next">The rest of the pipeline, routing included.</param>
internal sealed class HeadRequests(RequestDelegate next)
{
    /// <summary>Serves one request.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await next(context);
            return;
        }

        context.Request.Method = HttpMethods.Get;
        try
        {
            await next(context);
        }
        finally
        {
            context.Request.Method = HttpMethods.Head;
        }
    }
}
