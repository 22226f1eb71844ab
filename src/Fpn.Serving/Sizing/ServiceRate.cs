namespace Fpn.Serving.Sizing;

/// <summary>How fast a model answers, from its last batches; waiting times and <c>Retry-After</c> are estimated from
/// it.</summary>
/// <remarks>An exponential moving average of the device's time for one image. Thread-safe.</remarks>
internal sealed class ServiceRate
{
    /// <summary>Weight of the newest batch; the last ten or so count.</summary>
    private const double Newest = 0.2;

    private readonly Lock _gate = new();
    private double _secondsPerImage;

    /// <summary>Device time for one image; null until a batch was measured.</summary>
    public TimeSpan? PerImage
    {
        get
        {
            lock (_gate)
            {
                return _secondsPerImage > 0 ? TimeSpan.FromSeconds(_secondsPerImage) : null;
            }
        }
    }

    /// <summary>Takes a batch into account.</summary>
    public void Record(TimeSpan inference, int images)
    {
        var seconds = inference.TotalSeconds / images;
        lock (_gate)
        {
            _secondsPerImage = _secondsPerImage > 0
                ? _secondsPerImage + (Newest * (seconds - _secondsPerImage))
                : seconds;
        }
    }

    /// <summary>Time until so many images are done; zero while nothing was measured.</summary>
    public TimeSpan TimeFor(int images) => (PerImage ?? TimeSpan.Zero) * images;
}
