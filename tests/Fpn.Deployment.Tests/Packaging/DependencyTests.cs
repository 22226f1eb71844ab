using System.Text.RegularExpressions;
using System.Xml.Linq;
using Fpn.Detection.Geometry;
using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests.Packaging;

/// <summary>Who may know whom: the numbers know nobody, the runtime and the codec are known in one room each.</summary>
public sealed partial class DependencyTests
{
    private static readonly string Sources = Path.Combine(Checkout.Root, "src");

    [Fact]
    public void Detection_References_OnlyTheBaseLibrary() =>
        Assert.All(typeof(Box).Assembly.GetReferencedAssemblies(), name => Assert.StartsWith("System.", name.Name, StringComparison.Ordinal));

    [Fact]
    public void Detection_Project_NamesNoProjectAndNoFramework()
    {
        var project = XDocument.Load(Path.Combine(Sources, "Fpn.Detection", "Fpn.Detection.csproj"));
        Assert.Equal("Microsoft.NET.Sdk", project.Root!.Attribute("Sdk")!.Value);
        Assert.Empty(project.Descendants("ProjectReference"));
        Assert.Empty(project.Descendants("FrameworkReference"));
        Assert.All(project.Descendants("PackageReference"), package => Assert.StartsWith("System.", package.Attribute("Include")!.Value, StringComparison.Ordinal));
    }

    [Fact]
    public void Sources_OnnxRuntime_IsNamedInModelOnly() => AssertOnlyIn("Fpn.Service/Model/", OnnxRuntime());

    [Fact]
    public void Sources_Codec_IsNamedInImagingOnly() => AssertOnlyIn("Fpn.Service/Imaging/", Codec());

    private static void AssertOnlyIn(string room, Regex name)
    {
        var naming = Directory.EnumerateFiles(Sources, "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Sources, file).Replace('\\', '/'))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
            .Where(file => name.IsMatch(File.ReadAllText(Path.Combine(Sources, file))))
            .ToArray();
        Assert.NotEmpty(naming);
        Assert.All(naming, file => Assert.StartsWith(room, file, StringComparison.Ordinal));
    }

    [GeneratedRegex(@"Microsoft\.ML\.OnnxRuntime")]
    private static partial Regex OnnxRuntime();

    [GeneratedRegex(@"vips", RegexOptions.IgnoreCase)]
    private static partial Regex Codec();
}
