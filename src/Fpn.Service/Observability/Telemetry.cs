using System.Diagnostics.Metrics;
using Fpn.Service.Batching;
using Fpn.Service.Lifetime;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Fpn.Service.Observability;

/// <summary>
/// Aggregates what the meters record, once for both readers: <c>/metrics</c>, which collects when it is asked, and the
/// OTLP exporter, which sends every minute where an endpoint is configured. Traces exist only with an endpoint.
/// </summary>
internal sealed class Telemetry : IHostedLifecycleService, IDisposable
{
    /// <summary>Name of the service to a collector; <c>OTEL_SERVICE_NAME</c> overrides it.</summary>
    public const string ServiceName = "fpn-service";

    /// <summary>The variable by which collectors announce themselves to every program.</summary>
    private const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>What the framework counts, and we.</summary>
    private static readonly string[] Meters =
    [
        DetectionMetrics.MeterName,
        "Microsoft.AspNetCore.Hosting",
        "Microsoft.AspNetCore.Server.Kestrel",
        "Microsoft.AspNetCore.Routing",
        "Microsoft.AspNetCore.Diagnostics",
        "Microsoft.AspNetCore.RateLimiting",
        "System.Runtime",
    ];

    /// <summary>How long the end waits for a collector at most: as long as the exporter itself.</summary>
    private static readonly TimeSpan LastExport = TimeSpan.FromSeconds(10);

    /// <summary>What is left of the shutdown's time after that, at least.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMilliseconds(300);

    private readonly ShutdownOptions _shutdown;
    private readonly TimeProvider _clock;
    private readonly MeterProvider _meters;
    private readonly TracerProvider? _traces;
    private readonly ExportFailureLog? _failures;

    /// <summary>Once, however often the host is told to stop: who comes second must wait as long.</summary>
    private readonly Lazy<Task> _lastExport;
    private long _stopping;

    /// <summary>Begins to aggregate, and to send if an endpoint is configured.</summary>
    /// <param name="options">The endpoint.</param>
    /// <param name="configuration">Where OpenTelemetry's own variables are.</param>
    /// <param name="exporter">What <c>/metrics</c> asks; owned.</param>
    /// <param name="factory">Makes the meters of this service.</param>
    /// <param name="logger">Told when a collector cannot be reached.</param>
    /// <param name="shutdown">How long the end may take.</param>
    /// <param name="clock">Tells the time.</param>
    /// <exception cref="UriFormatException">The endpoint is no address.</exception>
    public Telemetry(
        TelemetryOptions options,
        IConfiguration configuration,
        PrometheusExporter exporter,
        IMeterFactory factory,
        ILogger<Telemetry> logger,
        ShutdownOptions shutdown,
        TimeProvider clock)
    {
        (_shutdown, _clock, _lastExport) = (shutdown, clock, new Lazy<Task>(ExportLastAsync));
        var endpoint = options.OtlpEndpoint.Length > 0 ? new Uri(options.OtlpEndpoint) : null;
        var resource = ResourceBuilder.CreateEmpty()
            .AddService(ServiceName, serviceVersion: ServiceMetrics.Version)
            .AddTelemetrySdk()
            .AddEnvironmentVariableDetector();
        var meters = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(Meters)
            .AddView(instrument => IsOurs(instrument, factory) ? null : MetricStreamConfiguration.Drop)
            .AddReader(new BaseExportingMetricReader(exporter));
        if (endpoint is not null || !string.IsNullOrEmpty(configuration[EndpointVariable]))
        {
            _failures = new ExportFailureLog(logger, clock);
            meters.AddOtlpExporter(otlp => Configure(otlp, options, endpoint, "v1/metrics"));
            _traces = Sdk.CreateTracerProviderBuilder()
                .SetResourceBuilder(resource)
                .AddSource(DetectionTracing.SourceName, RequestSpan.SourceName)
                .AddProcessor(new ProbeFilter())
                .AddOtlpExporter(otlp => Configure(otlp, options, endpoint, "v1/traces"))
                .Build();
        }

        _meters = meters.Build();
    }

    /// <inheritdoc/>
    /// <remarks>After the last answer: sends what was not sent, within what is left of the shutdown.</remarks>
    public Task StoppedAsync(CancellationToken cancellationToken) => _lastExport.Value;

    /// <inheritdoc/>
    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        _stopping = _clock.GetTimestamp();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose()
    {
        _traces?.Dispose();
        _meters.Dispose();
        _failures?.Dispose();
    }

    private Task ExportLastAsync()
    {
        var left = _shutdown.Timeout - _clock.GetElapsedTime(_stopping) - Margin;
        var patience = (int)Math.Clamp(left.TotalMilliseconds, 0, LastExport.TotalMilliseconds);
        return Task.WhenAll(
            Task.Run(() => _traces?.Shutdown(patience), CancellationToken.None),
            Task.Run(() => _meters.Shutdown(patience), CancellationToken.None));
    }

    /// <summary>Whether an instrument is this service's or the process's, and not another service's in it.</summary>
    private static bool IsOurs(Instrument instrument, IMeterFactory factory) =>
        instrument.Meter.Scope is not IMeterFactory || instrument.Meter.Scope == factory;

    /// <summary>Sets what the settings name; the rest comes from OpenTelemetry's variables.</summary>
    private static void Configure(OtlpExporterOptions otlp, TelemetryOptions options, Uri? endpoint, string path)
    {
        if (options.OtlpProtocol.Length > 0)
        {
            otlp.Protocol = options.OtlpProtocol == "grpc" ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        }

        if (endpoint is not null)
        {
            // The exporter adds the signal's path only to an address that it has from the variable.
            otlp.Endpoint = otlp.Protocol == OtlpExportProtocol.HttpProtobuf
                ? new Uri($"{endpoint.AbsoluteUri.TrimEnd('/')}/{path}")
                : endpoint;
        }
    }
}
