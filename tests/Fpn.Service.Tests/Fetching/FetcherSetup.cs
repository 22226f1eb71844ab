using System.Net;
using Fpn.Service.Bodies;
using Fpn.Service.Engine;
using Fpn.Service.Fetching;
using Fpn.Service.Problems;
using Fpn.Testing.Fakes;
using Fpn.Testing.Running;
using Microsoft.Extensions.Logging;

namespace Fpn.Service.Tests.Fetching;

/// <summary>A fetcher with names, clock and log of the test's own; connections and HTTP are real.</summary>
internal sealed class FetcherSetup : IDisposable
{
    private readonly ILoggerFactory _loggers;
    private readonly HttpMessageHandler _handler;

    /// <summary>Makes a fetcher.</summary>
    /// <param name="options">Its settings.</param>
    /// <param name="names">Answers for host names; else each is 127.0.0.1.</param>
    /// <param name="maxImageBytes">The largest image.</param>
    /// <param name="handler">Changes the handler before it is used, or gives another in its place.</param>
    public FetcherSetup(
        FetchOptions options,
        FakeResolver? names = null,
        long maxImageBytes = 1 << 20,
        Func<SocketsHttpHandler, HttpMessageHandler>? handler = null)
    {
        Names = names ?? new FakeResolver();
        _loggers = LoggerFactory.Create(logging => logging.AddProvider(Log));
        var limits = new LimitsOptions { MaxImageBytes = maxImageBytes };
        Memory = new BodyMemory(limits);
        var hosts = AllowedHosts.Parse(options.Hosts);
        var connector = new PinnedConnector(
            Names, AddressGuard.AllowingAlso(options.Networks), _loggers.CreateLogger<PinnedConnector>());
        var usual = connector.CreateHandler();
        _handler = handler is null ? usual : handler(usual);
        Fetcher = new GuardedFetcher(
            options,
            hosts,
            FetchCredentials.Read(options, hosts, AppContext.BaseDirectory),
            limits,
            Memory,
            Clock,
            _loggers.CreateLogger<GuardedFetcher>(),
            _handler);
    }

    public GuardedFetcher Fetcher { get; }

    public FakeResolver Names { get; }

    public FakeClock Clock { get; } = new();

    public BodyMemory Memory { get; }

    public LogLines Log { get; } = new();

    /// <summary>Fetches an image that must arrive.</summary>
    /// <returns>Its bytes.</returns>
    public async Task<byte[]> FetchAsync(string url)
    {
        var outcome = await Fetcher.FetchAsync(url, "image", TestContext.Current.CancellationToken);
        Assert.True(outcome.Succeeded(out var body, out var problem), problem?.Detail);
        using (body)
        {
            Assert.True(Memory.Taken >= body.Length);
            return body.Bytes.ToArray();
        }
    }

    /// <summary>Fetches what must not arrive; its memory must be back.</summary>
    /// <returns>The problem.</returns>
    public async Task<Problem> RefuseAsync(string url)
    {
        var outcome = await Fetcher.FetchAsync(url, "image", TestContext.Current.CancellationToken);
        Assert.False(outcome.Succeeded(out _, out var problem));
        Assert.Equal(0, Memory.Taken);
        return problem;
    }

    /// <summary>Fetches what must not arrive, and compares the problem.</summary>
    /// <param name="url">The URL.</param>
    /// <param name="status">The problem's status.</param>
    /// <param name="type">The problem's type.</param>
    /// <param name="words">A part of its detail.</param>
    public async Task AssertRefusedAsync(string url, int status, string type, string words)
    {
        var problem = await RefuseAsync(url);
        Assert.Equal((status, type), (problem.Status, problem.Type));
        Assert.Contains(words, problem.Detail, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        Fetcher.Dispose();
        _handler.Dispose();
        _loggers.Dispose();
        Log.Dispose();
    }
}

/// <summary>Answers for host names, each time anew.</summary>
internal sealed class FakeResolver : IHostResolver
{
    private readonly Func<string, int, string[]> _answer;
    private int _asked;

    /// <summary>Every name is 127.0.0.1.</summary>
    public FakeResolver()
        : this((_, _) => ["127.0.0.1"])
    {
    }

    /// <param name="answer">Addresses for a name, and the how-manieth question it is, from 0.</param>
    public FakeResolver(Func<string, int, string[]> answer) => _answer = answer;

    /// <summary>Questions so far.</summary>
    public int Asked => _asked;

    public Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        var answer = _answer(host, Interlocked.Increment(ref _asked) - 1);
        return Task.FromResult(Array.ConvertAll(answer, IPAddress.Parse));
    }
}
