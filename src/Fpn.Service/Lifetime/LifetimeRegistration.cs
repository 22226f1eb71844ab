using Fpn.Serving.Lanes;
using Fpn.Settings;

namespace Fpn.Service.Lifetime;

/// <summary>How the service ends.</summary>
internal static class LifetimeRegistration
{
    /// <summary>The part of the timeout that is kept for answering those that still wait.</summary>
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    /// <summary>Registers the drain and gives the host as long as the settings say.</summary>
    public static WebApplicationBuilder AddLifetime(this WebApplicationBuilder builder, SettingsCatalogue settings)
    {
        var shutdown = settings.Add<ShutdownOptions>("Shutdown");
        builder.Services
            .AddSingleton<Drain>()
            .AddHostedService(provider => provider.GetRequiredService<Drain>())
            .Configure<HostOptions>(host => host.ShutdownTimeout = shutdown.Timeout);
        return builder;
    }

    /// <summary>While draining, tells clients and proxies not to keep their connections; near the end answers those that still wait.</summary>
    public static WebApplication UseDrain(this WebApplication app)
    {
        var drain = app.Services.GetRequiredService<Drain>();
        var options = app.Services.GetRequiredService<ShutdownOptions>();
        var lanes = app.Services.GetRequiredService<LaneRegistry>();
        var clock = app.Services.GetRequiredService<TimeProvider>();
        ITimer? last = null;
        drain.LastCall.Register(lanes.Abandon);
        app.Lifetime.ApplicationStopping.Register(() =>
        {
            var patience = options.Timeout - LastWords;
            last = clock.CreateTimer(_ => drain.CallLast(), null, patience > TimeSpan.Zero ? patience : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        });
        app.Lifetime.ApplicationStopped.Register(() => last?.Dispose());
        app.Use((context, next) =>
        {
            if (HttpProtocol.IsHttp11(context.Request.Protocol))
            {
                // As late as can be: the end may begin while the request is served.
                context.Response.OnStarting(() =>
                {
                    if (drain.HasBegun)
                    {
                        context.Response.Headers.Connection = "close";
                    }

                    return Task.CompletedTask;
                });
            }

            return next(context);
        });
        return app;
    }
}
