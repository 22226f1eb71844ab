using Mono.Cecil;

namespace Fpn.Deployment.Tests.Architecture;

/// <summary>Who may know whom: read from the assemblies as they were built.</summary>
public sealed class DependencyTests
{
    /// <summary>The arrows: what each project may refer to of this project.</summary>
    public static readonly TheoryData<string, string[]> Arrows = new()
    {
        { "Fpn.Detection", [] },
        { "Fpn.Imaging", ["Fpn.Detection"] },
        { "Fpn.Imaging.ImageSharp", ["Fpn.Detection", "Fpn.Imaging"] },
        { "Fpn.Models", ["Fpn.Detection", "Fpn.Imaging"] },
        { "Fpn.Serving", ["Fpn.Detection", "Fpn.Imaging", "Fpn.Models"] },
        { "Fpn.Settings", [] },
        { "Fpn.Tool", ["Fpn.Detection", "Fpn.Imaging", "Fpn.Models", "Fpn.Serving", "Fpn.Settings"] },
        {
            "Fpn.Service",
            [
                "Fpn.Detection", "Fpn.Imaging", "Fpn.Imaging.ImageSharp", "Fpn.Models", "Fpn.Serving", "Fpn.Settings",
                "Fpn.Tool",
            ]
        },
        { "Fpn.Client", [] },
    };

    public static readonly TheoryData<string> Assemblies =
        [.. Arrows.Select(arrow => arrow.Data.Item1)];

    [Theory]
    [MemberData(nameof(Arrows))]
    public void Assembly_References_PointOneWay(string name, string[] allowed)
    {
        using var assembly = BuiltAssembly.Open(name);
        Assert.Subset(
            allowed.ToHashSet(),
            assembly.References.Where(reference => reference.StartsWith("Fpn.", StringComparison.Ordinal)).ToHashSet());
    }

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void Folders_OfAProject_FormNoCircle(string name)
    {
        using var assembly = BuiltAssembly.Open(name);
        Assert.Empty(assembly.Circles());
    }

    /// <summary>The finder itself: this namespace and a deeper one use each other.</summary>
    [Fact]
    public void Circles_BetweenTwoNamespaces_AreFound()
    {
        using var assembly = BuiltAssembly.Open("Fpn.Deployment.Tests");
        Assert.Contains(
            assembly.Circles(),
            step => step.Contains(nameof(Circular.There), StringComparison.Ordinal));
    }

    [Fact]
    public void Detection_References_OnlyTheBaseLibrary()
    {
        using var assembly = BuiltAssembly.Open("Fpn.Detection");
        Assert.All(assembly.References, name => Assert.StartsWith("System.", name, StringComparison.Ordinal));
    }

    [Fact]
    public void Web_Types_AreUsedInTheServiceOnly() => AssertUsedOnlyIn(
        ["Fpn.Service"],
        used => used.Namespace.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal));

    [Fact]
    public void OnnxRuntime_Types_AreUsedInModelsOnly() => AssertUsedOnlyIn(
        ["Fpn.Models.Execution", "Fpn.Models.TwoStage", "Fpn.Models.EndToEnd"],
        used => used.Namespace.StartsWith("Microsoft.ML.OnnxRuntime", StringComparison.Ordinal));

    [Fact]
    public void Libvips_Types_AreUsedInTheirFoldersOnly() => AssertUsedOnlyIn(
        ["Fpn.Imaging.Vips", "Fpn.Imaging.Painting"],
        used => used.Namespace.StartsWith("NetVips", StringComparison.Ordinal));

    [Fact]
    public void ImageSharp_Types_AreUsedInTheirProjectOnly() => AssertUsedOnlyIn(
        ["Fpn.Imaging.ImageSharp"],
        used => used.Namespace.StartsWith("SixLabors", StringComparison.Ordinal));

    private static void AssertUsedOnlyIn(string[] rooms, Func<TypeReference, bool> matches)
    {
        var users = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in Assemblies.Select(row => row.Data))
        {
            using var assembly = BuiltAssembly.Open(name);
            users.UnionWith(assembly.Uses().Where(use => matches(use.Used)).Select(use => use.Room));
        }

        Assert.NotEmpty(users);
        Assert.All(users, user => Assert.Contains(
            rooms, room => user == room || user.StartsWith(room + ".", StringComparison.Ordinal)));
    }
}
