namespace Fpn.Client.Tests.Running;

/// <summary>A clock whose waits end when the test says so, or at once; it notes how long they should have
/// been.</summary>
/// <param name="held">Whether waits last until <see cref="EndWait"/>.</param>
internal sealed class ManualClock(bool held = false) : TimeProvider
{
    private readonly TaskCompletionSource _waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TimeSpan _now = TimeSpan.FromHours(1);
    private Action? _end;

    /// <summary>The waits so far.</summary>
    public List<TimeSpan> Waits { get; } = [];

    /// <summary>Ends when the first wait of a call begins.</summary>
    /// <param name="call">Must not end before.</param>
    public async Task WaitUntilWaitingAsync(Task call)
    {
        if (await Task.WhenAny(call, _waiting.Task) == call)
        {
            await call;
            Assert.Fail("The call ended without a wait.");
        }
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _now.Ticks;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch + _now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Waits.Add(dueTime);
        _end = () =>
        {
            _now += dueTime;
            callback(state);
        };
        if (!held)
        {
            // Not on this stack: the caller has not kept the timer yet.
            ThreadPool.QueueUserWorkItem(static end => end(), _end, preferLocal: false);
        }

        _waiting.TrySetResult();
        return new Timer();
    }

    /// <summary>Ends the wait that was begun last.</summary>
    public void EndWait() => _end!();

    private sealed class Timer : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => false;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
