using System.Diagnostics.Metrics;
using Fpn.Service.Batching;
using Fpn.Service.Configuration;
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
internal sealed class Telemetry : IDisposable
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

    /// <summary>What the end of the process may wait for a collector, for metrics and for traces.</summary>
    private static readonly TimeSpan LastExport = TimeSpan.FromMilliseconds(500);

    private readonly MeterProvider _meters;
    private readonly TracerProvider? _traces;

    /// <summary>Begins to aggregate, and to send if an endpoint is configured.</summary>
    /// <param name="options">The endpoint.</param>
    /// <param name="configuration">Where OpenTelemetry's own variables are.</param>
    /// <param name="exporter">What <c>/metrics</c> asks; owned.</param>
    /// <param name="factory">Makes the meters of this service.</param>
    /// <exception cref="SettingsException">The endpoint is no address.</exception>
    public Telemetry(TelemetryOptions options, IConfiguration configuration, PrometheusExporter exporter, IMeterFactory factory)
    {
        var sends = options.OtlpEndpoint.Length > 0 || !string.IsNullOrEmpty(configuration[EndpointVariable]);
        var resource = ResourceBuilder.CreateEmpty()
            .AddService(ServiceName, serviceVersion: ServiceMetrics.Version)
            .AddTelemetrySdk()
            .AddEnvironmentVariableDetector();
        var meters = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(Meters)
            .AddView(instrument => IsOurs(instrument, factory) ? null : MetricStreamConfiguration.Drop)
            .AddReader(new BaseExportingMetricReader(exporter));
        if (sends)
        {
            meters.AddOtlpExporter(otlp => Configure(otlp, options, "v1/metrics"));
            _traces = Sdk.CreateTracerProviderBuilder()
                .SetResourceBuilder(resource)
                .AddSource(DetectionTracing.SourceName, RequestSpan.SourceName)
                .AddProcessor(new ProbeFilter())
                .AddOtlpExporter(otlp => Configure(otlp, options, "v1/traces"))
                .Build();
        }

        _meters = meters.Build();
    }

    /// <summary>Sends what was not sent, and ends.</summary>
    public void Dispose()
    {
        _traces?.Shutdown((int)LastExport.TotalMilliseconds);
        _meters.Shutdown((int)LastExport.TotalMilliseconds);
        _traces?.Dispose();
        _meters.Dispose();
    }

    /// <summary>Whether an instrument belongs to this service or to the whole process: others may run in the same one.</summary>
    private static bool IsOurs(Instrument instrument, IMeterFactory factory) =>
        instrument.Meter.Scope is not IMeterFactory || instrument.Meter.Scope == factory;

    /// <summary>Sets what the settings name; the rest comes from OpenTelemetry's variables.</summary>
    private static void Configure(OtlpExporterOptions otlp, TelemetryOptions options, string path)
    {
        if (options.OtlpProtocol.Length > 0)
        {
            otlp.Protocol = options.OtlpProtocol == "grpc" ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        }

        if (options.OtlpEndpoint.Length == 0)
        {
            return;
        }

        if (!Uri.TryCreate(options.OtlpEndpoint, UriKind.Absolute, out var endpoint) || endpoint.Scheme is not ("http" or "https"))
        {
            throw new SettingsException(
                $"Setting 'Fpn:Telemetry:OtlpEndpoint' must be an address such as http://collector:4317; it is '{options.OtlpEndpoint}'.");
        }

        // The exporter adds the signal's path only to an address that it has from the variable.
        otlp.Endpoint = otlp.Protocol == OtlpExportProtocol.HttpProtobuf ? new Uri($"{endpoint.AbsoluteUri.TrimEnd('/')}/{path}") : endpoint;
    }
}
