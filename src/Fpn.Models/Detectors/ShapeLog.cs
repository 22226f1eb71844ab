namespace Fpn.Models.Detectors;

/// <summary>
/// Which shapes a graph has run in, to count those that come up only after it was warmed up. Thread-safe.
/// </summary>
/// <remarks>
/// Notes nothing without a warm-up: where shapes are not fixed, new ones are no news, and there is no end of them.
/// </remarks>
internal sealed class ShapeLog
{
    private readonly Lock _gate = new();
    private readonly HashSet<(int Images, int Height, int Width)> _seen = [];
    private bool _noting;
    private bool _warm;
    private long _unwarmed;

    /// <summary>Shapes that were first seen after the warm-up.</summary>
    public long Unwarmed => Interlocked.Read(ref _unwarmed);

    /// <summary>From now on shapes are noted.</summary>
    public void BeginWarmUp() => Set(noting: true, warm: false);

    /// <summary>From now on new shapes are counted.</summary>
    public void EndWarmUp() => Set(noting: true, warm: true);

    /// <summary>Takes note of a run.</summary>
    /// <param name="count">Images of the backbone, RoIs of the head.</param>
    /// <param name="height">Of the images; 0 for the head.</param>
    /// <param name="width">Of the images; 0 for the head.</param>
    public void Note(int count, int height = 0, int width = 0)
    {
        lock (_gate)
        {
            if (_noting && _seen.Add((count, height, width)) && _warm)
            {
                _unwarmed++;
            }
        }
    }

    private void Set(bool noting, bool warm)
    {
        lock (_gate)
        {
            (_noting, _warm) = (noting, warm);
        }
    }
}
