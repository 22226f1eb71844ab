using Fpn.Serving.Pipeline;

namespace Fpn.Serving.Tests;

/// <summary>The bound on decoded bytes.</summary>
public sealed class ByteBudgetTests
{
    private readonly ByteBudget _budget = new(100);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Take_Room_IsGivenAtOnceAndBack()
    {
        var first = await TakeNowAsync(60);
        var second = await TakeNowAsync(40);
        Assert.Equal(100, _budget.Used);
        first.Dispose();
        Assert.Equal(40, _budget.Used);
        second.Dispose();
        Assert.Equal(0, _budget.Used);
    }

    [Fact]
    public async Task Dispose_Twice_GivesBackOnce()
    {
        var share = await TakeNowAsync(60);
        using var other = await TakeNowAsync(10);
        share.Dispose();
        share.Dispose();
        Assert.Equal(10, _budget.Used);
    }

    [Fact]
    public async Task Take_NoRoom_WaitsForIt()
    {
        var first = await TakeNowAsync(60);
        var waiting = _budget.TakeAsync(41, Cancel).AsTask();
        Assert.False(waiting.IsCompleted);
        Assert.Equal(60, _budget.Used);
        first.Dispose();
        using var share = await waiting;
        Assert.Equal(41, _budget.Used);
    }

    [Fact]
    public async Task Take_SmallOneBehindALargeOne_DoesNotOvertake()
    {
        var first = await TakeNowAsync(60);
        var large = _budget.TakeAsync(80, Cancel).AsTask();
        var small = _budget.TakeAsync(10, Cancel).AsTask();
        Assert.False(small.IsCompleted);
        first.Dispose();
        using var largeShare = await large;
        using var smallShare = await small;
        Assert.Equal(90, _budget.Used);
    }

    [Fact]
    public async Task Take_RoomForSeveral_AdmitsThemInOrderUntilOneDoesNotFit()
    {
        var first = await TakeNowAsync(100);
        long[] wanted = [50, 40, 30, 5];
        var waiting = wanted.Select(bytes => _budget.TakeAsync(bytes, Cancel).AsTask()).ToArray();
        first.Dispose();
        using var second = await waiting[0];
        using var third = await waiting[1];
        Assert.Equal(90, _budget.Used);
        Assert.False(waiting[2].IsCompleted);
        Assert.False(waiting[3].IsCompleted);
        second.Dispose();
        using var fourth = await waiting[2];
        using var fifth = await waiting[3];
        Assert.Equal(75, _budget.Used);
    }

    [Fact]
    public async Task Take_LargerThanTheLimit_GoesWhenItIsAlone()
    {
        var first = await TakeNowAsync(1);
        var oversize = _budget.TakeAsync(1000, Cancel).AsTask();
        var next = _budget.TakeAsync(1, Cancel).AsTask();
        Assert.False(oversize.IsCompleted);
        first.Dispose();
        var share = await oversize;
        Assert.Equal(1000, _budget.Used);
        Assert.False(next.IsCompleted);
        share.Dispose();
        (await next).Dispose();
        Assert.Equal(0, _budget.Used);
    }

    [Fact]
    public async Task Take_GivenUp_TakesNothingAndLetsTheNextPass()
    {
        using var gone = new CancellationTokenSource();
        var first = await TakeNowAsync(60);
        var large = _budget.TakeAsync(80, gone.Token).AsTask();
        var small = _budget.TakeAsync(10, Cancel).AsTask();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => large);
        (await small).Dispose();
        first.Dispose();
        Assert.Equal(0, _budget.Used);
    }

    [Fact]
    public async Task Take_GivenUpBefore_TakesNothing()
    {
        using var first = await TakeNowAsync(100);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => _budget.TakeAsync(1, new CancellationToken(canceled: true)).AsTask());
        Assert.Equal(100, _budget.Used);
    }

    /// <summary>Many takers on many threads, a third of which give up: the bound holds at every moment and nothing is
    /// left over.</summary>
    [Fact]
    public async Task Take_ManyAtOnce_StaysWithinTheLimitAndLeaksNothing()
    {
        var inFlight = 0L;
        var most = 0L;
        var sixteen = new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = Cancel };
        await Parallel.ForEachAsync(Enumerable.Range(0, 3000), sixteen, async (i, _) =>
        {
            using var gone = new CancellationTokenSource();
            var bytes = 1 + (i * 37 % 90);
            var taking = _budget.TakeAsync(bytes, gone.Token).AsTask();
            if (i % 3 == 0)
            {
                await gone.CancelAsync();
            }

            try
            {
                using var share = await taking;
                var now = Interlocked.Add(ref inFlight, bytes);
                for (var seen = Interlocked.Read(ref most); now > seen; seen = Interlocked.Read(ref most))
                {
                    Interlocked.CompareExchange(ref most, now, seen);
                }

                await Task.Yield();
                Interlocked.Add(ref inFlight, -bytes);
            }
            catch (OperationCanceledException)
            {
                Assert.True(i % 3 == 0, "this one was not given up");
            }
        });

        Assert.InRange(most, 50, 100);
        Assert.Equal(0, _budget.Used);
    }

    private async Task<IDisposable> TakeNowAsync(long bytes)
    {
        var taking = _budget.TakeAsync(bytes, Cancel);
        Assert.True(taking.IsCompletedSuccessfully);
        return await taking;
    }
}
