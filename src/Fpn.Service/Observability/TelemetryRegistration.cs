using System.Diagnostics.Metrics;
using Fpn.Serving.Telemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Fpn.Service.Observability;

/// <summary>
/// Aggregates metrics once for both readers: <c>/metrics</c>, which collects at each request, and the OTLP exporter,
/// which sends every minute where an endpoint is configured. Traces exist only with an endpoint.
/// </summary>
internal static class TelemetryRegistration
{
    /// <summary>Name of the service to a collector; <c>OTEL_SERVICE_NAME</c> overrides it.</summary>
    private const string ServiceName = "fpn-service";

    /// <summary>The usual variable for the address of a collector.</summary>
    private const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private const string CountSuffix = ".count";

    /// <summary>
    /// The tags of the instruments whose measurements also say the size of the batch: series for each size would be too
    /// many. Statistics of a model have it (<see cref="StatisticsCollector"/>).
    /// </summary>
    private static readonly Dictionary<string, string[]> TagsWithoutSize = new()
    {
        [DetectionMetrics.StageDurationName] = ["model", "version", "stage"],
        [DetectionMetrics.ExecutionDurationName] = ["model", "version"],
    };

    /// <summary>
    /// The meters of ASP.NET Core that are of use here. Its package adds more, whose series nothing would show.
    /// </summary>
    private static readonly string[] FrameworkMeters =
    [
        "Microsoft.AspNetCore.Hosting",
        "Microsoft.AspNetCore.Server.Kestrel",
        "Microsoft.AspNetCore.Routing",
        "Microsoft.AspNetCore.Diagnostics",
        "Microsoft.AspNetCore.RateLimiting",
    ];

    /// <summary>Registers the providers.</summary>
    /// <param name="services">Takes the providers.</param>
    /// <param name="options">The endpoint.</param>
    /// <param name="configuration">Holds OpenTelemetry's own variables.</param>
    /// <exception cref="UriFormatException">The endpoint is not an address.</exception>
    public static IServiceCollection AddTelemetry(
        this IServiceCollection services, TelemetryOptions options, IConfiguration configuration)
    {
        var endpoint = options.OtlpEndpoint.Length > 0 ? new Uri(options.OtlpEndpoint) : null;
        var sends = endpoint is not null || !string.IsNullOrEmpty(configuration[EndpointVariable]);
        var telemetry = services.AddOpenTelemetry()
            .ConfigureResource(resource => resource
                .Clear()
                .AddService(ServiceName, serviceVersion: ServiceMetrics.Version)
                .AddTelemetrySdk()
                .AddEnvironmentVariableDetector())
            .WithMetrics(metrics =>
            {
                metrics
                    .AddMeter(DetectionMetrics.MeterName)
                    .AddAspNetCoreInstrumentation()
                    .AddRuntimeInstrumentation()
                    .AddPrometheusExporter(Configure);
                if (sends)
                {
                    metrics.AddOtlpExporter(otlp => Configure(otlp, options, endpoint, "v1/metrics"));
                }
            });
        services.ConfigureOpenTelemetryMeterProvider((provider, metrics) =>
        {
            var factory = provider.GetRequiredService<IMeterFactory>();
            metrics.AddView(instrument => Shape(instrument, factory));
        });
        if (sends)
        {
            services.AddSingleton<ExportFailureLog>();
            telemetry.WithTracing(traces => traces
                .AddSource(DetectionTracing.SourceName)
                .AddAspNetCoreInstrumentation()
                .AddProcessor(new ProbeFilter())
                .AddOtlpExporter(otlp => Configure(otlp, options, endpoint, "v1/traces")));
        }

        return services
            .AddSingleton<LastExport>()
            .AddHostedService(provider => provider.GetRequiredService<LastExport>());
    }

    /// <summary>Leaves out series about libraries, and collects at each request.</summary>
    private static void Configure(PrometheusAspNetCoreOptions prometheus)
    {
        prometheus.ScopeInfoEnabled = false;
        prometheus.TargetInfoEnabled = false;
        prometheus.ScrapeResponseCacheDurationMilliseconds = 0;
    }

    /// <summary>
    /// Drops instruments of other services in the process and those that nothing shows; renames gauges that end in
    /// <c>count</c>; leaves out the size of the batch.
    /// </summary>
    /// <remarks>
    /// Prometheus keeps <c>_count</c> for histograms, and <c>promtool</c> refuses a gauge of that name.
    /// </remarks>
    private static MetricStreamConfiguration? Shape(Instrument instrument, IMeterFactory factory)
    {
        var (name, scope) = (instrument.Meter.Name, instrument.Meter.Scope);
        if ((scope is IMeterFactory && scope != factory)
            || (name.StartsWith("Microsoft.AspNetCore.", StringComparison.Ordinal) && !FrameworkMeters.Contains(name)))
        {
            return MetricStreamConfiguration.Drop;
        }

        if (name == DetectionMetrics.MeterName && TagsWithoutSize.TryGetValue(instrument.Name, out var tags))
        {
            return new MetricStreamConfiguration { TagKeys = tags };
        }

        return instrument.Name.EndsWith(CountSuffix, StringComparison.Ordinal) && IsGauge(instrument.GetType())
            ? new MetricStreamConfiguration { Name = instrument.Name[..^CountSuffix.Length] }
            : null;
    }

    private static bool IsGauge(Type instrument) => instrument.GetGenericTypeDefinition() is var kind
        && (kind == typeof(UpDownCounter<>)
            || kind == typeof(Gauge<>)
            || kind == typeof(ObservableUpDownCounter<>)
            || kind == typeof(ObservableGauge<>));

    /// <summary>Applies the settings; the rest comes from OpenTelemetry's variables.</summary>
    private static void Configure(OtlpExporterOptions otlp, TelemetryOptions options, Uri? endpoint, string path)
    {
        if (options.OtlpProtocol.Length > 0)
        {
            otlp.Protocol = options.OtlpProtocol == "grpc" ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        }

        if (endpoint is not null)
        {
            // The exporter adds the path of the signal only to an address from the variable.
            otlp.Endpoint = otlp.Protocol == OtlpExportProtocol.HttpProtobuf
                ? new Uri($"{endpoint.AbsoluteUri.TrimEnd('/')}/{path}")
                : endpoint;
        }
    }
}
