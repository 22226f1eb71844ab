namespace Fpn.Testing.Running;

/// <summary>One service that asks for keys, for the tests of a class.</summary>
public sealed class GuardedService : IDisposable
{
    /// <summary>May ask for metrics only.</summary>
    internal const string Scraper = "scraper-0a1b2c3d4e5f6071";

    /// <summary>May do everything, and be urgent.</summary>
    internal const string Operator = "operator-9b74c9897bac770f";

    /// <summary>May ask twice, then once a minute.</summary>
    internal const string Slow = "slow-7d793037a0760186574b";

    /// <summary>As slow, for batches.</summary>
    internal const string Batcher = "batcher-4355a46b19d348dc2f";

    /// <summary>May ask for low priority only.</summary>
    internal const string Patient = "patient-2c26b46b68ffc68ff9";

    private readonly KeyFile _file = new(
        KeyFile.Entry("alice", KeyFile.Alice),
        KeyFile.Entry("scraper", Scraper, "\"scopes\": [\"metrics\"]"),
        KeyFile.Entry(
            "operator", Operator, "\"scopes\": [\"detect\", \"metrics\", \"admin\"], \"highestPriority\": \"high\""),
        KeyFile.Entry("slow", Slow, "\"scopes\": [\"detect\"], \"requestsPerMinute\": 1, \"burst\": 2"),
        KeyFile.Entry("batcher", Batcher, "\"scopes\": [\"detect\"], \"requestsPerMinute\": 1, \"burst\": 2"),
        KeyFile.Entry("patient", Patient, "\"scopes\": [\"detect\"], \"highestPriority\": \"low\""));

    public GuardedService() => Service = new(("Fpn:Keys:File", _file.Path), ("Fpn:Batching:MaxBatchSize", "1"));

    /// <summary>The service.</summary>
    internal RunningService Service { get; }

    public void Dispose()
    {
        Service.Dispose();
        _file.Dispose();
    }
}
