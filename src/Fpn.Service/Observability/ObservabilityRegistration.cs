using Fpn.Service.Annotations;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;
using Fpn.Settings;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Serilog;
using Serilog.Events;

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
    /// <exception cref="SettingsException">A log level is not valid.</exception>
    /// <exception cref="UriFormatException">The endpoint for telemetry is not an address.</exception>
    public static WebApplicationBuilder AddObservability(this WebApplicationBuilder builder, SettingsCatalogue settings)
    {
        var telemetry = settings.Add<TelemetryOptions>("Telemetry");
        LogLevels.Require(builder.Configuration);

        // Kestrel's line quotes, below this level, the header lines that it cannot read, which may hold a key: off whatever
        // the settings say, and so set after they were read.
        builder.Services.AddSerilog(
            (services, logs) => logs
                .ReadFrom.Configuration(builder.Configuration)
                .ReadFrom.Services(services)
                .MinimumLevel.Override("Microsoft.AspNetCore.Server.Kestrel.BadRequests", LogEventLevel.Information),
            preserveStaticLogger: true);
        builder.Services
            .AddTelemetry(telemetry, builder.Configuration)
            .AddSingleton<ReadinessCheck>()
            .AddSingleton<ServiceMetrics>();
        builder.Services.AddHealthChecks().AddCheck<ReadinessCheck>("models", tags: [ReadyTag]);
        return builder;
    }

    /// <summary>Logs one line a request, and counts problems.</summary>
    public static WebApplication UseRequestLog(this WebApplication app)
    {
        app.UseMiddleware<ProblemCounter>();
        app.UseSerilogRequestLogging(options => RequestLog.Configure(options, app.Services.GetRequiredService<Serilog.ILogger>()));
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
    public static WebApplication MapMetrics(this WebApplication app)
    {
        // Made now, so that nothing is missed: the providers, and the gauges that nobody else asks for.
        app.Services.GetRequiredService<LastExport>();
        app.Services.GetRequiredService<LaneGauges>();
        app.Services.GetRequiredService<ServiceMetrics>();
        var scrape = ((IApplicationBuilder)app).New().UseOpenTelemetryPrometheusScrapingEndpoint(_ => true).Build();

        // As a delegate, and not as a request delegate, the OpenAPI document knows it.
        app.MapGet(ProbePaths.Metrics, (Delegate)((HttpContext context) => scrape(context)))
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
