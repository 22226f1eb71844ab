using System.ComponentModel.DataAnnotations;

namespace Fpn.Service.Observability;

/// <summary>
/// The collector of metrics and traces (<c>Fpn:Telemetry</c>); <c>/metrics</c> is served in any case.
/// </summary>
internal sealed class TelemetryOptions
{
    /// <summary>
    /// Address of an OpenTelemetry collector, such as <c>http://collector:4317</c>. Default empty: the variable
    /// <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>, and where that is absent, too, nothing is sent and no span is made.
    /// </summary>
    [RegularExpression(
        @"https?://[^\s/]\S*", ErrorMessage = "{0} must be an http or https address, such as http://collector:4317")]
    public string OtlpEndpoint { get; set; } = string.Empty;

    /// <summary>
    /// <c>grpc</c> or <c>http/protobuf</c> (which adds <c>/v1/metrics</c> and <c>/v1/traces</c> to the address).
    /// Default empty: the variable <c>OTEL_EXPORTER_OTLP_PROTOCOL</c>, and where that is absent, <c>grpc</c>.
    /// </summary>
    [AllowedValues("", "grpc", "http/protobuf", ErrorMessage = "{0} must be grpc or http/protobuf")]
    public string OtlpProtocol { get; set; } = string.Empty;
}
