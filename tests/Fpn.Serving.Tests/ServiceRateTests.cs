using Fpn.Serving.Sizing;

namespace Fpn.Serving.Tests;

/// <summary>The estimate behind the waiting times in answers.</summary>
public sealed class ServiceRateTests
{
    private readonly ServiceRate _rate = new();

    [Fact]
    public void TimeFor_NothingMeasured_IsZero()
    {
        Assert.Null(_rate.PerImage);
        Assert.Equal(TimeSpan.Zero, _rate.TimeFor(10));
    }

    [Fact]
    public void Record_First_IsTakenAsItIs()
    {
        _rate.Record(TimeSpan.FromMilliseconds(400), 4);
        Assert.Equal(100, _rate.PerImage!.Value.TotalMilliseconds, 1e-3);
        Assert.Equal(1000, _rate.TimeFor(10).TotalMilliseconds, 1e-3);
        Assert.Equal(TimeSpan.Zero, _rate.TimeFor(0));
    }

    /// <summary>100, then 0.8 · 100 + 0.2 · 200 = 120, then 0.8 · 120 + 0.2 · 20 = 100.</summary>
    [Fact]
    public void Record_Further_MovesAFifthOfTheWay()
    {
        _rate.Record(TimeSpan.FromMilliseconds(100), 1);
        _rate.Record(TimeSpan.FromMilliseconds(400), 2);
        Assert.Equal(120, _rate.PerImage!.Value.TotalMilliseconds, 1e-3);
        _rate.Record(TimeSpan.FromMilliseconds(20), 1);
        Assert.Equal(100, _rate.PerImage!.Value.TotalMilliseconds, 1e-3);
    }
}
