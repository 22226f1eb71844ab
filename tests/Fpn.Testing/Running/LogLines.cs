using System.Globalization;
using Microsoft.Extensions.Logging;
using Serilog.Core;
using Serilog.Events;
using Serilog.Formatting.Display;

namespace Fpn.Testing.Running;

/// <summary>Keeps what the service logs, or a logger of .NET's, so that tests can read it.</summary>
internal sealed class LogLines : ILogEventSink, ILoggerProvider
{
    /// <summary>As on the console: text without quotation marks.</summary>
    private static readonly MessageTemplateTextFormatter Message = new("{Message:lj}", CultureInfo.InvariantCulture);

    private readonly Lock _gate = new();
    private readonly List<string> _lines = [];
    private TaskCompletionSource _grown = NewSignal();

    /// <summary>All lines so far: level, category, message, exception.</summary>
    public IReadOnlyList<string> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>Waits for a line: the service logs a request after its answer is out, so the line may come later than
    /// the answer.</summary>
    /// <param name="start">Lines before this index are not looked at.</param>
    /// <param name="matches">What the line must be like.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The first line that matches.</returns>
    public async Task<string> WaitForAsync(int start, Predicate<string> matches, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task grown;
            lock (_gate)
            {
                if (_lines.FindIndex(start, matches) is >= 0 and var found)
                {
                    return _lines[found];
                }

                grown = _grown.Task;
            }

            await grown.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Forgets all lines.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _lines.Clear();
        }
    }

    public void Emit(LogEvent logEvent)
    {
        using var message = new StringWriter(CultureInfo.InvariantCulture);
        Message.Format(logEvent, message);
        var category = logEvent.Properties.TryGetValue(Constants.SourceContextPropertyName, out var source)
            ? (source as ScalarValue)?.Value
            : null;
        Add($"{logEvent.Level} {category}: {message} {logEvent.Exception}");
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Add(string line)
    {
        lock (_gate)
        {
            _lines.Add(line);
            _grown.SetResult();
            _grown = NewSignal();
        }
    }

    private sealed class Logger(LogLines lines, string category) : ILogger
    {
        // The framework's own lines are told apart as the service's settings do it.
        private readonly LogLevel _least =
            category.StartsWith("Microsoft.", StringComparison.Ordinal) ? LogLevel.Warning : LogLevel.Information;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= _least;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState,
            Exception?, string> formatter) =>
            lines.Add($"{logLevel} {category}: {formatter(state, exception)} {exception}");
    }
}
