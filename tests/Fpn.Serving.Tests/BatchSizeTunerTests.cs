using Fpn.Models.Execution.Devices;
using Fpn.Serving.Sizing;
using Fpn.Testing.Fakes;

namespace Fpn.Serving.Tests;

/// <summary>The choice of the batch size, with a model whose runs take as long as the test says.</summary>
public sealed class BatchSizeTunerTests
{
    private readonly FakeClock _clock = new();
    private readonly List<int> _runs = [];

    /// <summary>1, 2, 4 in 100, 120, 160 ms are 10, 16.7, 25 images/s; 8 in 320 ms are 25 again.</summary>
    [Fact]
    public async Task Measure_CurveThatPaysUntil4_Chooses4AndStopsAt8()
    {
        var curve = await MeasureAsync(
            TimeSpan.FromMinutes(1), images => images <= 4 ? 80 + (20 * images) : 40 * images);
        Assert.Equal([1, 2, 4, 8], curve.Select(point => point.BatchSize));
        Assert.Equal([0.1, 0.12, 0.16, 0.32], curve.Select(point => Math.Round(point.Seconds, 6)));
        Assert.Equal(25, curve[2].ImagesPerSecond, 6);
        Assert.Equal(4, BatchSizeTuner.Choose(curve));

        // One run of each size warms up, two are measured.
        Assert.Equal([1, 1, 1, 2, 2, 2, 4, 4, 4, 8, 8, 8], _runs);
    }

    [Fact]
    public async Task Measure_FlatCurve_Chooses1AndStopsAt2()
    {
        var curve = await MeasureAsync(TimeSpan.FromMinutes(1), images => 70 * images);
        Assert.Equal([1, 2], curve.Select(point => point.BatchSize));
        Assert.Equal(1, BatchSizeTuner.Choose(curve));
    }

    /// <summary>Three runs of 100 ms are done; three of 2 images may take 200 ms each: 900 ms in all.</summary>
    [Theory]
    [InlineData(899, 1)]
    [InlineData(900, 2)]
    public async Task Measure_BudgetThatTheNextSizeMayPass_StopsBefore(int budgetMs, int largest)
    {
        var curve = await MeasureAsync(TimeSpan.FromMilliseconds(budgetMs), _ => 100);
        Assert.Equal(largest, curve[^1].BatchSize);
        Assert.Equal(largest, BatchSizeTuner.Choose(curve));
        var spent = new TimeSpan(_clock.GetTimestamp()) - TimeSpan.FromHours(1);
        Assert.True(spent <= TimeSpan.FromMilliseconds(budgetMs), "the budget was passed");
    }

    [Fact]
    public async Task Measure_NoBudget_StillWarmsUpAndMeasuresOne()
    {
        var curve = await MeasureAsync(TimeSpan.Zero, _ => 100);
        Assert.Equal([1], curve.Select(point => point.BatchSize));
        Assert.Equal([1, 1, 1], _runs);
    }

    [Fact]
    public async Task Measure_NoMemoryForTheNextSize_EndsWithThoseThatRan()
    {
        var curve = await MeasureAsync(
            TimeSpan.FromMinutes(1), images => images <= 2 ? 100 : throw new ModelFailureException("out of memory"));
        Assert.Equal([1, 2], curve.Select(point => point.BatchSize));
    }

    [Fact]
    public async Task Measure_NoMemoryToPrepareTheNextSize_EndsWithThoseThatRan()
    {
        var curve = await MeasureAsync(TimeSpan.FromMinutes(1), _ => 100, memoryToPrepare: 2);
        Assert.Equal([1, 2], curve.Select(point => point.BatchSize));
    }

    [Fact]
    public async Task Measure_NoMemoryToPrepareOneImage_Fails() =>
        await Assert.ThrowsAsync<ModelFailureException>(
            () => MeasureAsync(TimeSpan.FromMinutes(1), _ => 100, memoryToPrepare: 0));

    [Fact]
    public async Task Measure_NoMemoryForOneImage_Fails() =>
        await Assert.ThrowsAsync<ModelFailureException>(
            () => MeasureAsync(TimeSpan.FromMinutes(1), _ => throw new ModelFailureException("out of memory")));

    [Fact]
    public async Task Measure_GraphThatCannotBatch_MeasuresOneOnly()
    {
        var curve = await MeasureAsync(TimeSpan.FromMinutes(1), _ => 100, largestBatch: 1);
        Assert.Equal(1, Assert.Single(curve).BatchSize);
    }

    [Fact]
    public async Task Measure_SlowFirstRun_IsNotCounted()
    {
        var curve = await MeasureAsync(
            TimeSpan.FromMinutes(1), images => _runs.Count(run => run == images) == 1 ? 5000 : 100 * images);
        Assert.Equal(0.1, curve[0].Seconds, 6);
    }

    [Fact]
    public async Task Measure_ClockThatStandsStill_EndsWithAChoice()
    {
        var curve = await MeasureAsync(TimeSpan.FromMinutes(1), _ => 0, largestBatch: 4);
        Assert.Equal([1, 2, 4], curve.Select(point => point.BatchSize));
        Assert.Equal(4, BatchSizeTuner.Choose(curve));
    }

    /// <summary>10 images/s, and for 2 images 10.5 (200/10.5 = 190.476 ms) on either side.</summary>
    [Theory]
    [InlineData(0.1904, 2)]
    [InlineData(0.1906, 1)]
    public void Choose_FivePercent_IsTheLeastThatPays(double secondsOfTwo, int expected) =>
        Assert.Equal(expected, BatchSizeTuner.Choose([new BatchTiming(1, 0.1), new BatchTiming(2, secondsOfTwo)]));

    [Fact]
    public void Choose_DipBeforeAGain_StopsAtTheDip() => Assert.Equal(
        1, BatchSizeTuner.Choose([new BatchTiming(1, 0.1), new BatchTiming(2, 0.2), new BatchTiming(4, 0.1)]));

    [Fact]
    public void Choose_NothingMeasured_Is1() => Assert.Equal(1, BatchSizeTuner.Choose([]));

    private async Task<IReadOnlyList<BatchTiming>> MeasureAsync(
        TimeSpan budget, Func<int, int> milliseconds, int largestBatch = 8, int memoryToPrepare = int.MaxValue)
    {
        using var detector = new FakeDetector
        {
            LargestBatch = largestBatch,
            MemoryToPrepare = memoryToPrepare,
            RunsFreely = true,
            DuringRun = images =>
            {
                _runs.Add(images);
                _clock.Advance(TimeSpan.FromMilliseconds(milliseconds(images)));
            },
        };
        return await BatchSizeTuner.MeasureAsync(detector, budget, _clock, batch =>
        {
            detector.Infer(batch).Dispose();
            return Task.CompletedTask;
        });
    }
}
