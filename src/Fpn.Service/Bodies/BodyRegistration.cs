namespace Fpn.Service.Bodies;

/// <summary>Bodies of requests.</summary>
internal static class BodyRegistration
{
    /// <summary>Registers the readers of bodies and the memory that they share.</summary>
    public static WebApplicationBuilder AddBodies(this WebApplicationBuilder builder)
    {
        builder.Services
            .AddSingleton<BodyMemory>()
            .AddSingleton<ImageBodyReader>()
            .AddSingleton<ImageFormReader>()
            .AddSingleton<BodyWait>();
        return builder;
    }

    /// <summary>Reads the rest of unread bodies, so that clients that are still sending receive their answer.</summary>
    public static WebApplication UseUnreadBodies(this WebApplication app)
    {
        app.UseMiddleware<UnreadBodies>();
        return app;
    }

    /// <summary>Chooses endpoints; those of GET also serve HEAD.</summary>
    public static WebApplication UseEndpointRouting(this WebApplication app)
    {
        app.UseMiddleware<HeadRequests>();
        app.UseRouting();
        return app;
    }
}
