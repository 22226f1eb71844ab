using Fpn.Models.Loading;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fpn.Models.Tests;

/// <summary><c>Models:Path</c> as one package instead of a folder of packages, and the default model.</summary>
public sealed class OnePackageTests : IDisposable
{
    private readonly ModelFolder _folder = new();

    [Fact]
    public void List_FolderIsAPackage_HasTheNameInItsManifest()
    {
        var packages = Open(new() { Path = Mount() });
        Assert.Equal([new PackageId("blood-cells")], packages.List());
        Assert.Equal("blood-cells", packages.Default);
        using var model = packages.Load(new("blood-cells"));
        Assert.Equal("blood-cells", model.Contract.Name);
    }

    [Fact]
    public void List_NameIsGiven_IsServedByThatName()
    {
        var packages = Open(new() { Path = Mount(), Name = "cells" });
        Assert.Equal([new PackageId("cells")], packages.List());
        Assert.Equal("cells", packages.Default);
        using var model = packages.Load(new("cells"));
        Assert.Equal("cells", model.Contract.Name);
    }

    [Fact]
    public void Load_ManifestWithAnotherNameArrives_IsRefusedUnlessTheNameIsGiven()
    {
        var mount = Mount();
        var (named, renamed) = (Open(new() { Path = mount }), Open(new() { Path = mount, Name = "cells" }));
        var manifest = Path.Combine(mount, "model.json");
        File.WriteAllText(
            manifest, ModelFolder.Edit(File.ReadAllText(manifest), "\"name\": \"blood-cells\"", "\"name\": \"pets\""));
        var refusal = Assert.Throws<ModelPackageException>(() => named.Load(new("blood-cells")));
        Assert.EndsWith(
            "model.json: key 'name' must stay 'blood-cells' while the service runs; it is 'pets'.",
            refusal.Message,
            StringComparison.Ordinal);
        using var model = renamed.Load(new("cells"));
        Assert.Equal("cells", model.Contract.Name);
    }

    [Theory]
    [InlineData("pets", null, "'Fpn:Models:Default' is 'pets', but", "holds blood-cells.")]
    [InlineData("blood-cells", "cells", "'Fpn:Models:Default' is 'blood-cells', but", "holds cells.")]
    [InlineData(null, "a/b", "'Fpn:Models:Name' must be a name that a path can hold", "it is 'a/b'.")]
    [InlineData(null, "..", "'Fpn:Models:Name' must be a name that a path can hold", "it is '..'.")]
    public void Open_SettingsThatContradictThePackage_AreRefusedInOneLine(
        string? standard, string? name, params string[] words) =>
        AssertRefused(new() { Path = Mount(), Name = name, Default = standard }, words);

    [Fact]
    public void Open_PackageThatHoldsPackages_IsRefused()
    {
        var mount = Mount();
        Directory.CreateSymbolicLink(
            Path.Combine(mount, "everyday"), Path.Combine(Checkout.Models, "everyday"));
        AssertRefused(
            new() { Path = mount }, "'Fpn:Models:Path'", mount, "is a package and also holds packages: everyday.");
    }

    [Fact]
    public void Open_NameForAFolderOfPackages_IsRefused() => AssertRefused(
        new() { Path = Checkout.BloodCells, Name = "cells" }, "'Fpn:Models:Name'", "has no model.json");

    [Fact]
    public void Open_ManifestHasANameThatNoPathHolds_NamesFileAndKey()
    {
        var mount = Mount();
        var manifest = Path.Combine(mount, "model.json");
        File.WriteAllText(
            manifest, ModelFolder.Edit(File.ReadAllText(manifest), "\"name\": \"blood-cells\"", "\"name\": \"../a\""));
        var refusal = Assert.Throws<ModelPackageException>(() => Open(new() { Path = mount }));
        Assert.Contains(
            "model.json: key 'name' must be a name that a path can hold", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>Images and mounts hold one model as a rule, whose name the user need not repeat.</summary>
    [Fact]
    public void Default_IsNotSet_IsTheOnlyPackageElseEveryday()
    {
        Assert.Equal("blood-cells", Open(new() { Path = Checkout.BloodCells }).Default);
        Assert.Equal("everyday", Open(new() { Path = Checkout.Models }).Default);
        _folder.Add("cats");
        _folder.Add("dogs");
        AssertRefused(new() { Path = _folder.Path }, "'Fpn:Models:Default' is 'everyday', but", "holds cats, dogs.");
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>A package under a name that platforms give a folder.</summary>
    private string Mount()
    {
        var mount = Path.Combine(_folder.Path, "model");
        Directory.Move(_folder.Add(), mount);
        return mount;
    }

    private static void AssertRefused(ModelOptions options, params string[] words)
    {
        var refusal = Assert.Throws<InvalidOptionException>(() => Open(options));
        Assert.All(words, word => Assert.Contains(word, refusal.Message, StringComparison.Ordinal));
        Assert.DoesNotContain('\n', refusal.Message);
    }

    private static ModelPackages Open(ModelOptions options) => new(
        options,
        new ExecutionOptions { Provider = ExecutionProvider.Cpu, Threads = 1 },
        new CudaOptions(),
        Directory.GetCurrentDirectory(),
        NullLogger<ModelPackages>.Instance);
}
