namespace Fpn.Serving.Lanes;

/// <summary>A request's hold on a lane: the model stays loaded until this is disposed, even if another takes
/// over.</summary>
/// <param name="lane">Its use has been counted by the creator of this.</param>
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
