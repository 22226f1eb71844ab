using Fpn.Detection.Geometry;

namespace Fpn.Detection.Tests;

/// <summary>Made-up network outputs from a fixed seed.</summary>
internal sealed class RandomTensors(int seed)
{
#pragma warning disable CA5394 // Test data, not secrets: the point is to get the same numbers every time.
    private readonly Random _random = new(seed);

    public float Uniform(float from, float to) => from + (to - from) * _random.NextSingle();

    public int Below(int limit) => _random.Next(limit);

    public float Normal() =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble()));

    public float[] Normal(int count, float mean = 0, float deviation = 1) =>
        [.. Enumerable.Range(0, count).Select(_ => mean + deviation * Normal())];

    /// <summary>Values from a coarse grid, so that many are equal.</summary>
    public float[] Coarse(int count, int steps) =>
        [.. Enumerable.Range(0, count).Select(_ => (_random.Next(2 * steps + 1) - steps) * 0.5f)];

    /// <summary>Overlapping boxes, some without area.</summary>
    public Box[] Boxes(int count, float extent, float maxSide) =>
        [.. Enumerable.Range(0, count).Select(_ => Box(extent, maxSide))];

    public void Shuffle<T>(T[] items) => _random.Shuffle(items);
#pragma warning restore CA5394

    private Box Box(float extent, float maxSide)
    {
        var x = Uniform(0, extent - maxSide);
        var y = Uniform(0, extent - maxSide);
        var width = Below(20) == 0 ? 0 : Uniform(0, maxSide);
        var height = Below(20) == 0 ? 0 : Uniform(0, maxSide);
        return new Box(x, y, x + width, y + height);
    }
}
