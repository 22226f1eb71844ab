using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Loading;
using Fpn.Models.Options;
using Fpn.Models.Packages;

namespace Fpn.Testing.Fakes;

/// <summary>Packages that are what the test says; the first is the default.</summary>
internal sealed class FakePackages(params (string Name, Func<IDetector> Load)[] packages) : IModelPackages
{
    /// <summary>The packages: what loading each of them does.</summary>
    public Dictionary<string, Func<IDetector>> Loads { get; } =
        packages.ToDictionary(package => package.Name, package => package.Load);

    /// <summary>A CPU by default; no graph is run.</summary>
    public DeviceDescription Device { get; init; } = new(ExecutionProvider.Cpu, "a fake", "a test", Streams: 1);

    public string Default { get; } = packages[0].Name;

    public IReadOnlyList<string> List() => [.. Loads.Keys.Order(StringComparer.Ordinal)];

    public ModelEntry Load(string name) =>
        new(Loads.TryGetValue(name, out var load) ? load : throw new ModelPackageException($"'{name}' is gone."));
}
