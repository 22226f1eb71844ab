using Fpn.Service.Api;
using Fpn.Service.Api.Security;
using Fpn.Service.Batching;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Serilog;
using Serilog.Extensions.Logging;

namespace Fpn.Service.Observability;

/// <summary>Logs, health, metrics, traces.</summary>
internal static class ObservabilityRegistration
{
    private const string MetricsExample = """
        # HELP fpn_requests_total Images that the model was asked about, by what became of them.
        # TYPE fpn_requests_total counter
        fpn_requests_total{model="everyday",outcome="success",reason="none",version="1"} 3

        """;

    private const string ReadyTag = "ready";

    /// <summary>Whether a check says if requests can be answered.</summary>
    public static bool IsReadiness(HealthCheckRegistration check) => check.Tags.Contains(ReadyTag);

    /// <summary>Registers logging (Serilog, section <c>Serilog</c>), health checks, metrics and traces.</summary>
    public static WebApplicationBuilder AddObservability(this WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders();
        builder.Logging.AddSerilog(new LoggerConfiguration().ReadFrom.Configuration(builder.Configuration).CreateLogger(), dispose: true);

        // Quotes, below this level, the header lines that it cannot read, which may hold a key: off whatever the settings say.
        builder.Logging.AddFilter<SerilogLoggerProvider>("Microsoft.AspNetCore.Server.Kestrel.BadRequests", LogLevel.Information);
        builder.Services
            .AddSingleton<ReadinessCheck>()
            .AddSingleton<ServiceMetrics>()
            .AddSingleton<PrometheusExporter>()
            .AddSingleton<Telemetry>()
            .AddHostedService(provider => provider.GetRequiredService<Telemetry>());
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
        app.MapHealthChecks(ProbePaths.Health + "/live", new HealthCheckOptions { Predicate = _ => false }).AllowWithoutKey();
        app.MapHealthChecks(ProbePaths.Health + "/ready", new HealthCheckOptions { Predicate = IsReadiness, ResponseWriter = HealthAnswer.WriteAsync }).AllowWithoutKey();
        return app;
    }

    /// <summary>Begins to aggregate, and maps <c>/metrics</c>.</summary>
    /// <exception cref="UriFormatException">The endpoint for telemetry is no address.</exception>
    public static WebApplication MapMetrics(this WebApplication app)
    {
        // Made now, so that nothing is missed: the providers, and the gauges that nobody else asks for.
        app.Services.GetRequiredService<Telemetry>();
        app.Services.GetRequiredService<LaneGauges>();
        app.Services.GetRequiredService<ServiceMetrics>();
        app.MapGet(
                ProbePaths.Metrics,
                async (PrometheusExporter exporter, HttpContext context) =>
                    Results.Bytes(await exporter.ScrapeAsync(context.RequestAborted), PrometheusText.ContentType))
            .WithName("metrics")
            .WithTags("Observability")
            .WithSummary("What the service counts, for Prometheus")
            .WithDescription("Prometheus text format 0.0.4. Every metric, its labels and its meaning: docs/metrics.md.")
            .Produces<string>(StatusCodes.Status200OK, "text/plain")
            .WithMetadata(new AnswerExample("text/plain", MetricsExample))
            .RequireScope(KeyScope.Metrics);
        return app;
    }
}
