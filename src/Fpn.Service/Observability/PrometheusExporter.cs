using System.Buffers;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Fpn.Service.Observability;

/// <summary>Collects the metrics when they are asked for, and writes them as text.</summary>
/// <remarks>The number of series is bounded: OpenTelemetry keeps 2000 of a metric and sums the rest up.</remarks>
[ExportModes(ExportModes.Pull)]
internal sealed class PrometheusExporter : BaseExporter<Metric>, IPullMetricExporter
{
    private readonly SemaphoreSlim _gate = new(1);
    private ArrayBufferWriter<byte>? _output;
    private int _lastLength = 32 << 10;

    /// <inheritdoc/>
    public Func<int, bool>? Collect { get; set; }

    /// <summary>Collects now; one caller after the other.</summary>
    /// <returns>The text, the caller's own.</returns>
    /// <exception cref="InvalidOperationException">Collecting failed.</exception>
    public async Task<ReadOnlyMemory<byte>> ScrapeAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var output = new ArrayBufferWriter<byte>(_lastLength);
            _output = output;
            if (Collect?.Invoke(Timeout.Infinite) != true)
            {
                throw new InvalidOperationException("The metrics cannot be collected.");
            }

            _lastLength = Math.Max(1, output.WrittenCount);
            return output.WrittenMemory;
        }
        finally
        {
            _output = null;
            _gate.Release();
        }
    }

    /// <inheritdoc/>
    public override ExportResult Export(in Batch<Metric> batch)
    {
        // Collected at the end too, when nobody asks.
        if (_output is null)
        {
            return ExportResult.Success;
        }

        var text = new PrometheusText(_output);
        foreach (var metric in batch)
        {
            text.Write(metric);
        }

        return ExportResult.Success;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _gate.Dispose();
        }

        base.Dispose(disposing);
    }
}
