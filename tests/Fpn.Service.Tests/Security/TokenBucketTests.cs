using Fpn.Service.Security;
using Fpn.Testing.Fakes;

namespace Fpn.Service.Tests.Security;

/// <summary>Bursts, the rate after them, and debts.</summary>
public sealed class TokenBucketTests
{
    private readonly FakeClock _clock = new();

    [Fact]
    public void TryTake_Burst_IsLetThroughAndTheNextWaits()
    {
        // 30 a minute: one every two seconds.
        var bucket = new TokenBucket(30, 3, _clock);
        Assert.All(Enumerable.Range(0, 3), _ => Assert.True(bucket.TryTake(out var _)));
        Assert.False(bucket.TryTake(out var wait));
        Assert.Equal(2, wait.TotalSeconds, 1e-6);

        _clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.False(bucket.TryTake(out wait));
        Assert.Equal(1.5, wait.TotalSeconds, 1e-6);

        _clock.Advance(TimeSpan.FromSeconds(1.6));
        Assert.True(bucket.TryTake(out _));
        Assert.False(bucket.TryTake(out _));
    }

    [Fact]
    public void TryTake_AfterAnIdleHour_LetsThroughNoMoreThanTheBurst()
    {
        var bucket = new TokenBucket(30, 3, _clock);
        _clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal(3, Enumerable.Range(0, 10).Count(_ => bucket.TryTake(out var _)));
    }

    [Fact]
    public void TryTake_Refused_CostsNothing()
    {
        var bucket = new TokenBucket(60, 1, _clock);
        Assert.True(bucket.TryTake(out _));
        Assert.All(Enumerable.Range(0, 100), _ => Assert.False(bucket.TryTake(out var _)));
        _clock.Advance(TimeSpan.FromSeconds(1.01));
        Assert.True(bucket.TryTake(out _));
    }

    [Fact]
    public void Owe_MoreThanThereIs_IsPaidBackFirst()
    {
        var bucket = new TokenBucket(60, 4, _clock);
        Assert.True(bucket.TryTake(out _));
        bucket.Owe(9);
        Assert.False(bucket.TryTake(out var wait));
        Assert.Equal(7, wait.TotalSeconds, 1e-6);
        _clock.Advance(TimeSpan.FromSeconds(6.9));
        Assert.False(bucket.TryTake(out _));
        _clock.Advance(TimeSpan.FromSeconds(0.2));
        Assert.True(bucket.TryTake(out _));
    }

    [Fact]
    public async Task TryTake_ManyThreads_TakeNoMoreThanThereIs()
    {
        var bucket = new TokenBucket(60, 1000, _clock);
        var taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(
            () => Enumerable.Range(0, 500).Count(_ => bucket.TryTake(out var _)))));
        Assert.Equal(1000, taken.Sum());
    }
}
