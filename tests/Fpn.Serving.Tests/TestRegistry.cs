using System.Diagnostics.Metrics;
using Fpn.Models.Detectors;
using Fpn.Serving.Lanes;
using Fpn.Serving.Sizing;
using Fpn.Serving.Telemetry;
using Fpn.Testing.Fakes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fpn.Serving.Tests;

/// <summary>A registry over packages that the test says.</summary>
internal sealed class TestRegistry : IAsyncDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    /// <summary>Creates it; nothing is loaded.</summary>
    /// <param name="packages">The packages, the default model's first.</param>
    public TestRegistry(params (string Name, Func<IDetector> Load)[] packages)
        : this(int.MaxValue, packages)
    {
    }

    /// <summary>Creates it; nothing is loaded.</summary>
    /// <param name="mostVersions">Versions of a model that are served at most.</param>
    /// <param name="packages">The packages, the default model's first.</param>
    public TestRegistry(int mostVersions, params (string Name, Func<IDetector> Load)[] packages)
        : this(new FakePackages(packages) { MostVersions = mostVersions }, new BatchingOptions { MaxBatchSize = 1 })
    {
    }

    /// <summary>Creates it; nothing is loaded.</summary>
    /// <param name="packages">The packages.</param>
    /// <param name="options">How batches are made.</param>
    /// <param name="clock">By which batches are measured; null for the system's.</param>
    public TestRegistry(FakePackages packages, BatchingOptions options, TimeProvider? clock = null)
    {
        Packages = packages;
        Lanes = new LaneRegistry(
            packages,
            options,
            new DetectionMetrics(_services.GetRequiredService<IMeterFactory>()),
            clock ?? TimeProvider.System,
            NullLogger<LaneRegistry>.Instance);
        Gauges = new LaneGauges(Lanes, _services.GetRequiredService<IMeterFactory>());
    }

    /// <summary>The packages.</summary>
    public FakePackages Packages { get; }

    /// <summary>The registry.</summary>
    public LaneRegistry Lanes { get; }

    /// <summary>Its gauges.</summary>
    public LaneGauges Gauges { get; }

    /// <summary>The versions of the model <c>pets</c> that are served, the newest first.</summary>
    public IReadOnlyList<string> Served => [.. Lanes.LanesFor("pets").Select(lane => lane.Model.Contract.Version)];

    /// <summary>Loads a model; another function each time, which stands for changed files.</summary>
    public static Func<IDetector> Load(string name, string version)
    {
        using var plain = new FakeDetector();
        var contract = plain.Contract with { Name = name, Version = version };
        return () => new FakeDetector { RunsFreely = true, Contract = contract };
    }

    /// <summary>Adds a version, or changes it.</summary>
    /// <param name="name">The model's name, a slash, and the version.</param>
    public void Add(string name) => Packages.Loads[name] = Load(name.Split('/')[0], name.Split('/')[1]);

    /// <summary>The version of the model <c>pets</c> that answers a request for that version; null for none.</summary>
    public string? Take(string? version)
    {
        if (!Lanes.TryTake("pets", version, out var use))
        {
            return null;
        }

        using (use)
        {
            return use.Lane.Model.Contract.Version;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Lanes.DisposeAsync();
        await _services.DisposeAsync();
    }
}
