using Fpn.Models.Loading;
using Fpn.Serving.Lanes;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Fpn.Serving;

/// <summary>Looks for packages that are new or changed, and has the registry load them.</summary>
/// <remarks>
/// A model is loaded when two looks in a row find its files the same: what is being copied is left alone. Once tried it
/// is not tried again before its files change. A model that is gone goes on serving: its folder may be away for a
/// moment only.
/// </remarks>
/// <param name="startup">The first load, which comes before the first look.</param>
/// <param name="lanes">Loads the models.</param>
/// <param name="packages">Where they come from.</param>
/// <param name="interval">Between two looks, from the end of one to the next.</param>
/// <param name="clock">Waits.</param>
/// <param name="logger">Logs that the folder cannot be read, once.</param>
internal sealed partial class PackagePoll(
    DetectionStartup startup,
    LaneRegistry lanes,
    IModelPackages packages,
    TimeSpan interval,
    TimeProvider clock,
    ILogger<PackagePoll> logger) : BackgroundService
{
    /// <summary>The state of each model's files when it was last handed to the registry.</summary>
    private readonly Dictionary<string, string> _handled = new(StringComparer.Ordinal);

    /// <summary>The states that the last look found.</summary>
    private Dictionary<string, string> _seen = new(StringComparer.Ordinal);

    private bool _isAway;

    /// <summary>Looks once; ends when everything that is due is loaded.</summary>
    internal async Task LookAsync()
    {
        if (ReadStates() is not { } states)
        {
            return;
        }

        foreach (var (model, state) in states)
        {
            if (_seen.GetValueOrDefault(model) == state && _handled.GetValueOrDefault(model) != state)
            {
                _handled[model] = state;
                await lanes.RefreshAsync(model);
            }
        }

        _seen = states;
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await startup.LoadAsync().WaitAsync(stoppingToken);
        while (true)
        {
            await Task.Delay(interval, clock, stoppingToken);

            // A load that still runs when the process ends finds that out for itself.
            await LookAsync().WaitAsync(stoppingToken);
        }
    }

    /// <summary>Describes the files of each model.</summary>
    /// <returns>By the model's name; null while the folder cannot be read.</returns>
    private Dictionary<string, string>? ReadStates()
    {
        try
        {
            var states = packages.List().GroupBy(id => id.Model).ToDictionary(
                versions => versions.Key,
                versions => string.Join('\n', versions.Select(id => $"{id} {packages.Stamp(id)}")),
                StringComparer.Ordinal);
            _isAway = false;
            return states;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            if (!_isAway)
            {
                LogAway(logger, exception.Message);
            }

            _isAway = true;
            return null;
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The folder of models cannot be read, so what is served stays as it is: {Reason}")]
    private static partial void LogAway(ILogger logger, string reason);
}
