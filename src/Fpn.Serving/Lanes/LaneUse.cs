namespace Fpn.Serving.Lanes;

/// <summary>A request's hold on a lane: the model stays loaded until it is disposed, whatever takes over meanwhile.</summary>
/// <param name="lane">Its use was counted by whoever creates this.</param>
internal sealed class LaneUse(ModelLane lane) : IDisposable
{
    private int _ended;

    /// <summary>The lane that served the model when the use began.</summary>
    public ModelLane Lane { get; } = lane;

    /// <summary>Ends the use; later calls do nothing.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _ended, 1) == 0)
        {
            Lane.EndUse();
        }
    }
}
