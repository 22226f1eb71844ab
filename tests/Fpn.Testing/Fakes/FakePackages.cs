using System.Globalization;
using System.Runtime.CompilerServices;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Loading;
using Fpn.Models.Options;
using Fpn.Models.Packages;

namespace Fpn.Testing.Fakes;

/// <summary>Packages that are what the test says; the first is the default.</summary>
internal sealed class FakePackages(params (string Name, Func<IDetector> Load)[] packages) : IModelPackages
{
    /// <summary>The packages: what loading each of them does, by its name or, for a version,
    /// <c>name/number</c>.</summary>
    public Dictionary<string, Func<IDetector>> Loads { get; } =
        packages.ToDictionary(package => package.Name, package => package.Load);

    /// <summary>A CPU by default; no graph is run.</summary>
    public DeviceDescription Device { get; init; } = new(ExecutionProvider.Cpu, "a fake", "a test", Streams: 1);

    public string Default { get; } = Parse(packages[0].Name).Model;

    public int MostVersions { get; init; } = int.MaxValue;

    /// <summary>Whether the folder cannot be read.</summary>
    public bool IsAway { get; set; }

    /// <summary>How often they were listed.</summary>
    public int Lists { get; private set; }

    public IReadOnlyList<PackageId> List()
    {
        Lists++;
        return IsAway
            ? throw new IOException("The share is away.")
            :
            [
                .. Loads.Keys.Select(Parse)
                    .OrderBy(id => id.Model, StringComparer.Ordinal)
                    .ThenByDescending(id => id.Number),
            ];
    }

    /// <summary>Another one for another function.</summary>
    public string Stamp(PackageId id) =>
        RuntimeHelpers.GetHashCode(Loads.GetValueOrDefault(id.ToString())).ToString(CultureInfo.InvariantCulture);

    public ModelEntry Load(PackageId id) => new(
        Loads.TryGetValue(id.ToString(), out var load) ? load : throw new ModelPackageException($"'{id}' is gone."));

    private static PackageId Parse(string name) => name.Split('/') is [var model, var number]
        ? new PackageId(model, long.Parse(number, CultureInfo.InvariantCulture))
        : new PackageId(name);
}
