using Fpn.Testing.Running;

namespace Fpn.Client.Tests.Running;

/// <summary>The service as a process of its own, with blood-cells and keys; one for the tests of
/// <see cref="Collection"/>.</summary>
public sealed class GuardedProcess : IAsyncLifetime
{
    /// <summary>Name of the collection.</summary>
    public const string Collection = "guarded service";

    /// <summary>May ask once, then once a minute.</summary>
    internal const string Slow = "slow-7d793037a0760186574b";

    private readonly KeyFile _keys = new(
        KeyFile.Entry("alice", KeyFile.Alice),
        KeyFile.Entry("slow", Slow, "\"scopes\": [\"detect\"], \"requestsPerMinute\": 1, \"burst\": 1"));

    private ServiceProcess? _process;

    /// <summary>Where it listens.</summary>
    public Uri Address { get; private set; } = null!;

    /// <summary>Settings for a quick start with blood-cells.</summary>
    internal static string[] Arguments(params string[] more) =>
        [$"--Fpn:Models:Path={Checkout.BloodCells}", "--Fpn:Batching:MaxBatchSize=1", .. more];

    /// <summary>A client as <c>AddFpnClient</c> would make it, without its registration.</summary>
    /// <param name="key">Null sends none.</param>
    internal FpnClient CreateClient(string? key = KeyFile.Alice) => new(CreateHttp(key));

    /// <summary>An HTTP client for what the typed one is compared with.</summary>
    /// <param name="key">Null sends none.</param>
    internal HttpClient CreateHttp(string? key = KeyFile.Alice)
    {
        var http = new HttpClient { BaseAddress = Address };
        if (key is not null)
        {
            http.DefaultRequestHeaders.Add("X-Api-Key", key);
        }

        return http;
    }

    public async ValueTask InitializeAsync()
    {
        _process = new ServiceProcess(Arguments($"--Fpn:Keys:File={_keys.Path}"));
        Address = await _process.WaitForAddressAsync();
    }

    public ValueTask DisposeAsync()
    {
        _process?.Dispose();
        _keys.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>Tests of one collection run one after the other, and share its service.</summary>
[CollectionDefinition(GuardedProcess.Collection)]
public sealed class SharedProcess : ICollectionFixture<GuardedProcess>;
