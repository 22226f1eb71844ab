using System.Diagnostics.Tracing;
using System.Globalization;

namespace Fpn.Service.Observability;

/// <summary>
/// Logs that a collector cannot be reached or refuses data; the exporter itself reports it only to its event source.
/// </summary>
/// <remarks>At most one line a minute. Thread-safe.</remarks>
internal sealed partial class ExportFailureLog(ILogger<ExportFailureLog> logger, TimeProvider clock) : EventListener
{
    private const string SourceName = "OpenTelemetry-Exporter-OpenTelemetryProtocol";

    private static readonly TimeSpan Pause = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private long? _loggedAt;

    /// <inheritdoc/>
    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == SourceName)
        {
            EnableEvents(eventSource, EventLevel.Warning);
        }
    }

    /// <inheritdoc/>
    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        lock (_gate)
        {
            if (_loggedAt is { } before && clock.GetElapsedTime(before) < Pause)
            {
                return;
            }

            _loggedAt = clock.GetTimestamp();
        }

        var format = eventData.Message ?? eventData.EventName ?? string.Empty;
        var message = string.Format(CultureInfo.InvariantCulture, format, [.. eventData.Payload ?? []]);
        LogFailure(logger, message.Split('\n')[0].TrimEnd());
    }

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "Metrics or traces were not sent: {Reason} (said once a minute)")]
    private static partial void LogFailure(ILogger logger, string reason);
}
