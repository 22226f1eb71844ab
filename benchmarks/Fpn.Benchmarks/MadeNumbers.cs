namespace Fpn.Benchmarks;

/// <summary>Made-up network outputs from a fixed seed.</summary>
internal sealed class MadeNumbers(int seed)
{
#pragma warning disable CA5394 // The point is to get the same numbers every time.
    private readonly Random _random = new(seed);

    public float Uniform(float from, float to) => from + (to - from) * _random.NextSingle();

    public float Normal(float mean, float deviation) =>
        mean + deviation * (float)(
            Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble()));
#pragma warning restore CA5394

    public float[] Normals(int count, float mean, float deviation) =>
        [.. Enumerable.Range(0, count).Select(_ => Normal(mean, deviation))];
}
