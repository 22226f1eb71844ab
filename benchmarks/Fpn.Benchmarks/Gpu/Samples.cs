using System.Diagnostics;

namespace Fpn.Benchmarks.Gpu;

/// <summary>Durations of one thing done many times, in milliseconds.</summary>
internal sealed class Samples
{
    private readonly List<double> _sorted;

    /// <summary>Takes the durations.</summary>
    /// <param name="milliseconds">At least one, in any order.</param>
    public Samples(IEnumerable<double> milliseconds) => _sorted = [.. milliseconds.Order()];

    /// <summary>How many there are.</summary>
    public int Count => _sorted.Count;

    /// <summary>Arithmetic mean.</summary>
    public double Mean => _sorted.Average();

    /// <summary>Median.</summary>
    public double P50 => At(0.5);

    /// <summary>95th percentile.</summary>
    public double P95 => At(0.95);

    /// <summary>Does something for a time.</summary>
    /// <param name="time">No repetition begins after it.</param>
    /// <param name="action">What is timed.</param>
    /// <param name="least">So many repetitions at least.</param>
    public static Samples Repeat(TimeSpan time, Action action, int least = 3)
    {
        List<double> times = [];
        var start = Stopwatch.GetTimestamp();
        while (times.Count < least || Stopwatch.GetElapsedTime(start) < time)
        {
            var begun = Stopwatch.GetTimestamp();
            action();
            times.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }

        return new Samples(times);
    }

    private double At(double share) => _sorted[(int)Math.Min(_sorted.Count - 1, share * _sorted.Count)];
}
