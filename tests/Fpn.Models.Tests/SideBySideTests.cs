using Fpn.Models.Detectors;

namespace Fpn.Models.Tests;

public sealed class SideBySideTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(50)]
    public void ForEach_AnyCount_DoesEachOnce(int count)
    {
        var done = new int[count];

        SideBySide.ForEach(count, number => Interlocked.Increment(ref done[number]));

        Assert.All(done, times => Assert.Equal(1, times));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    public void ForEach_OneFails_ThrowsThatFailureItself(int count)
    {
        var failure = Assert.Throws<InvalidOperationException>(() => SideBySide.ForEach(
            count, number => _ = number == count - 1 ? throw new InvalidOperationException("the last") : number));

        Assert.Equal("the last", failure.Message);
    }

    [Fact]
    public void Run_ThreeTimes_HappensAtTheSameTime()
    {
        using var meeting = new Barrier(3);

        SideBySide.Run(3, () => Assert.True(meeting.SignalAndWait(TimeSpan.FromSeconds(60))));

        Assert.Equal(1, meeting.CurrentPhaseNumber);
    }

    [Fact]
    public void Run_OneFails_WaitsForTheOthersAndThrowsIt()
    {
        var begun = 0;
        var ended = 0;

        var failure = Assert.Throws<InvalidOperationException>(() => SideBySide.Run(3, () =>
        {
            if (Interlocked.Increment(ref begun) == 1)
            {
                throw new InvalidOperationException("the first");
            }

            Interlocked.Increment(ref ended);
        }));

        Assert.Equal("the first", failure.Message);
        Assert.Equal(2, ended);
    }
}
