using System.Diagnostics;
using System.Net;
using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests;

/// <summary>Clients that send one image after the other until they are told to stop.</summary>
internal sealed class SteadyLoad
{
    private readonly Lock _gate = new();
    private readonly List<string> _failures = [];
    private readonly List<(int Count, TaskCompletionSource Reached)> _waiting = [];
    private readonly CancellationTokenSource _stop =
        CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
    private readonly long _started = Stopwatch.GetTimestamp();
    private readonly Task _clients;
    private int _answers;

    /// <summary>Starts the clients, each with connections of its own.</summary>
    public SteadyLoad(Uri address, int clients, byte[] image) =>
        _clients = Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(() => SendAsync(address, image))));

    /// <summary>Answers so far that were as they should be.</summary>
    public int Answers => Volatile.Read(ref _answers);

    /// <summary>Since when it runs.</summary>
    public TimeSpan Age => Stopwatch.GetElapsedTime(_started);

    /// <summary>Waits for so many more answers.</summary>
    public Task MoreAsync(int count)
    {
        lock (_gate)
        {
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((_answers + count, reached));
            return reached.Task.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Lets every client finish its request.</summary>
    /// <returns>What was answered otherwise than with detections, or not at all.</returns>
    public async Task<IReadOnlyList<string>> StopAsync()
    {
        await _stop.CancelAsync();
        await _clients;
        _stop.Dispose();
        return _failures;
    }

    private async Task SendAsync(Uri address, byte[] image)
    {
        using var client = new HttpClient { BaseAddress = address };
        while (!_stop.IsCancellationRequested)
        {
            string? failure = null;
            try
            {
                using var response = await client.PostDetectAsync(image);
                var body = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
                failure = response.StatusCode == HttpStatusCode.OK && body.Contains(
                    "\"detections\":[{", StringComparison.Ordinal)
                    ? null
                    : $"after {Age.TotalSeconds:F1} s: {(int)response.StatusCode} {body}";
            }
            catch (HttpRequestException exception)
            {
                failure = $"after {Age.TotalSeconds:F1} s: {exception.Message}";
            }

            Count(failure);
        }
    }

    private void Count(string? failure)
    {
        lock (_gate)
        {
            if (failure is not null)
            {
                _failures.Add(failure);
                return;
            }

            _answers++;
            foreach (var (_, reached) in _waiting.Where(waiting => waiting.Count == _answers))
            {
                reached.TrySetResult();
            }
        }
    }
}
