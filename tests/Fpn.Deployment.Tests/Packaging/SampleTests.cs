using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Xml.Linq;
using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests.Packaging;

/// <summary>The libraries as they are packed, and the samples as users build them on those packages.</summary>
public sealed class SampleTests : IDisposable
{
    private static readonly string[] Libraries = ["Fpn.Detection", "Fpn.Imaging", "Fpn.Models"];

    private readonly string _folder = Directory.CreateTempSubdirectory("fpn-samples-").FullName;

    private string Samples => Path.Combine(_folder, "samples");

    private string Packages => Path.Combine(Samples, "packages");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Samples_OnPackedLibraries_Detect()
    {
        await PackAsync();
        Assert.All(Libraries, AssertIsComplete);
        CopySamples();
        await BuildAsync("Console");

        Assert.Contains("\nRBC 0.", await RunAsync("blood-cells", "smear.jpg"), StringComparison.Ordinal);
        Assert.Contains("\nperson 0.", await RunAsync("everyday", "astronaut.jpg"), StringComparison.Ordinal);
    }

    [Fact]
    public void ConsoleSample_Program_FitsOnOneScreen() =>
        Assert.InRange(File.ReadAllLines(Path.Combine(Checkout.Root, "samples", "Console", "Program.cs")).Length, 1, 20);

    private async Task PackAsync()
    {
        foreach (var library in Libraries)
        {
            await DotnetAsync(
                Checkout.Root, "pack", Path.Combine("src", library), "-c", "Release", "-o", Packages,
                "--artifacts-path", Path.Combine(_folder, "work"), "-p:RunAnalyzers=false");
        }
    }

    /// <summary>With license, README, docs and symbols; depending on managed packages only, and on nothing of HTTP.</summary>
    private void AssertIsComplete(string library)
    {
        var file = Assert.Single(Directory.GetFiles(Packages, $"{library}.*.nupkg"));
        using var package = ZipFile.OpenRead(file);
        var names = package.Entries.Select(entry => entry.FullName).ToArray();
        Assert.Contains("README.md", names);
        Assert.Contains($"lib/net10.0/{library}.dll", names);
        Assert.Contains($"lib/net10.0/{library}.xml", names);
        using var stream = package.GetEntry($"{library}.nuspec")!.Open();
        var elements = XDocument.Load(stream).Descendants().ToArray();
        string Text(string name) => elements.Single(element => element.Name.LocalName == name).Value;
        Assert.Equal(("MIT", "README.md"), (Text("license"), Text("readme")));
        Assert.NotEmpty(Text("description"));
        Assert.DoesNotContain(elements, element => element.Name.LocalName == "frameworkReference");
        var dependencies = elements.Where(element => element.Name.LocalName == "dependency")
            .Select(element => element.Attribute("id")!.Value).ToArray();
        Assert.DoesNotContain(dependencies, name => name.Contains("AspNetCore", StringComparison.Ordinal));
        Assert.DoesNotContain(dependencies, name => name.Contains("Http", StringComparison.Ordinal));
        Assert.DoesNotContain(dependencies, name => name.Contains("Native", StringComparison.Ordinal));
        Assert.DoesNotContain("Microsoft.ML.OnnxRuntime.Gpu.Linux", dependencies);
        Assert.DoesNotContain("Fpn.Settings", dependencies);
        using var symbols = ZipFile.OpenRead(Path.ChangeExtension(file, "snupkg"));
        Assert.Contains($"lib/net10.0/{library}.pdb", symbols.Entries.Select(entry => entry.FullName));
    }

    /// <summary>What git knows of them: neither what users packed nor what they built.</summary>
    private void CopySamples()
    {
        var source = Path.Combine(Checkout.Root, "samples");
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var name = Path.GetRelativePath(source, file);
            if (!name.Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj" or "packages"))
            {
                var copy = Path.Combine(Samples, name);
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(file, copy);
            }
        }
    }

    /// <summary>All other packages are taken from where they are; ours must not be left there for the next test.</summary>
    private async Task BuildAsync(string sample)
    {
        var cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        await DotnetAsync(
            Path.Combine(Samples, sample), "build", "-c", "Release",
            $"-p:RestorePackagesPath={Path.Combine(_folder, "restored")}", $"-p:RestoreFallbackFolders={cache}");
    }

    private async Task<string> RunAsync(string model, string picture)
    {
        var program = Path.Combine(
            Samples, "Console", "bin", "Release", "net10.0", RuntimeInformation.RuntimeIdentifier, "Console");
        var (code, output, errors) = await ProgramRun.RunAsync(
            _folder, program, Path.Combine(Checkout.Models, model), Checkout.Sample(picture));
        Assert.True(code == 0, output + errors);
        return "\n" + output;
    }

    private static async Task DotnetAsync(string folder, params string[] arguments)
    {
        // No process of the build may outlive the test.
        var (code, output, errors) = await ProgramRun.RunAsync(
            folder, "dotnet", [.. arguments, "--nologo", "-nodeReuse:false", "-p:UseSharedCompilation=false"]);
        Assert.True(code == 0, output + errors);
    }
}
