using Fpn.Service.Api.Security;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Serilog;
using Serilog.Extensions.Logging;

namespace Fpn.Service.Observability;

/// <summary>Logs and health.</summary>
internal static class ObservabilityRegistration
{
    private const string ReadyTag = "ready";

    /// <summary>Whether a check says if requests can be answered.</summary>
    public static bool IsReadiness(HealthCheckRegistration check) => check.Tags.Contains(ReadyTag);

    /// <summary>Registers logging (Serilog, section <c>Serilog</c> of the settings) and the health checks.</summary>
    public static WebApplicationBuilder AddObservability(this WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders();
        builder.Logging.AddSerilog(new LoggerConfiguration().ReadFrom.Configuration(builder.Configuration).CreateLogger(), dispose: true);

        // Quotes, below this level, the header lines that it cannot read, which may hold a key: off whatever the settings say.
        builder.Logging.AddFilter<SerilogLoggerProvider>("Microsoft.AspNetCore.Server.Kestrel.BadRequests", LogLevel.Information);
        builder.Services.AddHealthChecks().AddCheck<ReadinessCheck>("models", tags: [ReadyTag]);
        return builder;
    }

    /// <summary>Logs one line a request.</summary>
    public static WebApplication UseRequestLog(this WebApplication app)
    {
        app.UseMiddleware<RequestLog>();
        return app;
    }

    /// <summary>Maps <c>/health/live</c> (the process answers) and <c>/health/ready</c> (every model is loaded and tried).</summary>
    public static WebApplication MapHealth(this WebApplication app)
    {
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false }).AllowWithoutKey();
        app.MapHealthChecks("/health/ready", new HealthCheckOptions { Predicate = IsReadiness })
            .AllowWithoutKey();
        return app;
    }
}
