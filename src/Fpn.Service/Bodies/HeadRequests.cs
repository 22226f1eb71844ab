namespace Fpn.Service.Bodies;

/// <summary>Serves HEAD wherever GET is served, as GET; the server leaves the body out.</summary>
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
