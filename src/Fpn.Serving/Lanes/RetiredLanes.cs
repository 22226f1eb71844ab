using Microsoft.Extensions.Logging;

namespace Fpn.Serving.Lanes;

/// <summary>Lanes that were replaced or unloaded: each is freed when its last request is answered.</summary>
/// <remarks>Thread-safe.</remarks>
/// <param name="factory">Frees the lanes.</param>
/// <param name="logger">Logs every lane that is freed.</param>
internal sealed partial class RetiredLanes(LaneFactory factory, ILogger logger) : IAsyncDisposable
{
    private readonly Lock _gate = new();

    /// <summary>Lanes that still answer requests. The one that removes a lane frees it.</summary>
    private readonly HashSet<ModelLane> _lanes = [];

    /// <summary>Lanes that are being freed.</summary>
    private readonly HashSet<Task> _endings = [];

    /// <summary>The lanes that still answer requests.</summary>
    public IReadOnlyList<ModelLane> Lanes
    {
        get
        {
            lock (_gate)
            {
                return [.. _lanes];
            }
        }
    }

    /// <summary>Takes a lane over from the registry, and ends the registry's own hold on it.</summary>
    public void Add(ModelLane lane)
    {
        lock (_gate)
        {
            _lanes.Add(lane);
        }

        lane.EndUse();
        _ = FreeWhenUnusedAsync(lane);
    }

    /// <summary>Frees all lanes, whether requests hold them or not, and waits for those that are being freed.</summary>
    public async ValueTask DisposeAsync()
    {
        List<ModelLane> lanes;
        List<Task> endings;
        lock (_gate)
        {
            lanes = [.. _lanes];
            _lanes.Clear();
            endings = [.. _endings];
        }

        foreach (var lane in lanes)
        {
            await factory.FreeAsync(lane);
        }

        await Task.WhenAll(endings);
    }

    private async Task FreeWhenUnusedAsync(ModelLane lane)
    {
        await lane.Unused;
        Task ending;
        lock (_gate)
        {
            if (!_lanes.Remove(lane))
            {
                return;
            }

            ending = factory.FreeAsync(lane);
            _endings.Add(ending);
        }

        await ending;
        LogFreed(logger, lane.Model.Contract.Name, lane.Model.Contract.Version);
        lock (_gate)
        {
            _endings.Remove(ending);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Information, Message = "Model {Model}: version {Version} is not used any more and is freed")]
    private static partial void LogFreed(ILogger logger, string model, string version);
}
