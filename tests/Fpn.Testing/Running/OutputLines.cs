namespace Fpn.Testing.Running;

/// <summary>Reads what another program prints as it comes, for tests that wait for a line.</summary>
internal sealed class OutputLines
{
    private readonly Lock _gate = new();
    private readonly List<string> _lines = [];
    private TaskCompletionSource _grown = NewSignal();

    /// <summary>Begins to read.</summary>
    /// <param name="reader">Standard output or standard error.</param>
    public OutputLines(TextReader reader) => End = ReadAsync(reader);

    /// <summary>Ends when the program has closed its output.</summary>
    public Task End { get; }

    /// <summary>The lines so far.</summary>
    public IReadOnlyList<string> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>Waits for a line.</summary>
    /// <param name="start">Lines before this index are not looked at.</param>
    /// <param name="matches">What it must be like.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The first that matches.</returns>
    /// <exception cref="InvalidOperationException">The program ended without it.</exception>
    public async Task<string> WaitForAsync(int start, Predicate<string> matches, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task grown;
            lock (_gate)
            {
                if (_lines.FindIndex(Math.Min(start, _lines.Count), matches) is >= 0 and var found)
                {
                    return _lines[found];
                }

                grown = _grown.Task;
                if (End is { IsCompleted: true })
                {
                    throw new InvalidOperationException($"The program ended: {string.Join(" | ", _lines)}");
                }
            }

            await Task.WhenAny(grown, End).WaitAsync(cancellationToken);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task ReadAsync(TextReader reader)
    {
        // Never synchronously: the constructor must return.
        await Task.Yield();
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_gate)
            {
                _lines.Add(line);
                _grown.SetResult();
                _grown = NewSignal();
            }
        }
    }
}
