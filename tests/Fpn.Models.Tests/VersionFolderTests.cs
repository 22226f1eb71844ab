using Fpn.Models.Loading;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Fpn.Testing.Packages;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fpn.Models.Tests;

/// <summary>Models whose versions are in folders named by numbers.</summary>
public sealed class VersionFolderTests : IDisposable
{
    private const string Pets = "pets";

    private readonly ModelFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void List_VersionFolders_AreNumbersTheGreatestFirst()
    {
        _folder.Add("cats");
        foreach (var name in (string[])["9", "10", "1", "01", "0", "-2", "1.5", "old", "99999999999999999999"])
        {
            _folder.AddVersion(Pets, name);
        }

        Directory.CreateDirectory(Path.Combine(_folder.Path, Pets, "11"));
        PackageId[] expected = [new("cats"), new(Pets, 10), new(Pets, 9), new(Pets, 1)];
        Assert.Equal(expected, Open().List());
    }

    [Fact]
    public void Load_VersionFolder_GivesItsNumberAsVersion()
    {
        var package = _folder.AddVersion(Pets, "3");
        Assert.Contains("\"version\": \"1\"", File.ReadAllText(Path.Combine(package, "model.json")));
        using var model = Open(Pets).Load(new(Pets, 3));
        Assert.Equal((Pets, "3"), (model.Contract.Name, model.Contract.Version));
    }

    [Fact]
    public void Load_ManifestHasAnotherName_NamesFileAndKey()
    {
        var manifest = Path.Combine(_folder.AddVersion(Pets, "3"), "model.json");
        File.WriteAllText(
            manifest, ModelFolder.Edit(File.ReadAllText(manifest), "\"name\": \"pets\"", "\"name\": \"3\""));
        var refusal = Assert.Throws<ModelPackageException>(() => Open(Pets).Load(new(Pets, 3)));
        Assert.Equal($"{manifest}: key 'name' must be the name of its folder, 'pets'; it is '3'.", refusal.Message);
    }

    [Fact]
    public void Load_PackageThatHoldsVersions_IsRefused()
    {
        var package = _folder.Add(Pets);
        _folder.AddVersion(Pets, "1");
        _folder.AddVersion(Pets, "2");
        var packages = Open(Pets);
        Assert.Equal([new PackageId(Pets)], packages.List());
        var refusal = Assert.Throws<ModelPackageException>(() => packages.Load(new(Pets)));
        Assert.Equal(
            $"{Path.Combine(package, "model.json")}: its folder is a package and also holds version folders: 2, 1. "
            + "Move one or the other.",
            refusal.Message);
    }

    /// <summary>As TensorFlow Serving's <c>MODEL_BASE_PATH</c> has it.</summary>
    [Theory]
    [InlineData(null, "pets")]
    [InlineData("cats", "cats")]
    public void Open_PathHoldsTheVersionsOfOneModel_IsThatModel(string? given, string name)
    {
        _folder.AddVersion(Pets, "1");
        _folder.AddVersion(Pets, "2");
        var packages = Open(new ModelOptions { Path = Path.Combine(_folder.Path, Pets), Name = given });
        Assert.Equal([new PackageId(name, 2), new PackageId(name, 1)], packages.List());
        Assert.Equal(name, packages.Default);
        using var model = packages.Load(new(name, 1));
        Assert.Equal((name, "1"), (model.Contract.Name, model.Contract.Version));
    }

    [Fact]
    public void MostVersions_NotSet_IsWithoutEnd()
    {
        _folder.AddVersion(Pets, "1");
        Assert.Equal(int.MaxValue, Open(Pets).MostVersions);
        Assert.Equal(2, Open(new ModelOptions { Path = _folder.Path, Versions = 2 }).MostVersions);
    }

    [Fact]
    public void Stamp_FilesAreAsTheyWere_IsTheSame()
    {
        var (packages, id) = (Open(_folder.Add()), new PackageId("blood-cells"));
        Assert.Equal(packages.Stamp(id), packages.Stamp(id));
    }

    [Fact]
    public void Stamp_AnyFileChanges_IsAnother()
    {
        var package = _folder.Add(graphs: ("head", File.ReadAllBytes(ModelFolder.OriginalFile("head.onnx"))));
        var (packages, id) = (Open(package), new PackageId("blood-cells"));
        var (manifest, head) = (Path.Combine(package, "model.json"), Path.Combine(package, "head.onnx"));
        var seen = new List<string> { packages.Stamp(id) };

        // The same size and the same time.
        var time = File.GetLastWriteTimeUtc(manifest);
        File.WriteAllText(
            manifest, ModelFolder.Edit(File.ReadAllText(manifest), "\"version\": \"1\"", "\"version\": \"2\""));
        File.SetLastWriteTimeUtc(manifest, time);
        seen.Add(packages.Stamp(id));

        File.SetLastWriteTimeUtc(head, time.AddHours(1));
        seen.Add(packages.Stamp(id));

        File.WriteAllBytes(head, [1, 2, 3]);
        File.SetLastWriteTimeUtc(head, time.AddHours(1));
        seen.Add(packages.Stamp(id));

        File.Delete(head);
        seen.Add(packages.Stamp(id));

        File.WriteAllText(manifest, "{");
        seen.Add(packages.Stamp(id));
        Assert.Distinct(seen);
    }

    private ModelPackages Open(string name = "cats") => Open(new ModelOptions
    {
        Path = _folder.Path,
        Default = Path.GetFileName(name),
    });

    private static ModelPackages Open(ModelOptions options) => new(
        options,
        new ExecutionOptions { Provider = ExecutionProvider.Cpu, Threads = 1 },
        new CudaOptions(),
        Directory.GetCurrentDirectory(),
        NullLogger<ModelPackages>.Instance);
}
