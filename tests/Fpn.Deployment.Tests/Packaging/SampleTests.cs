using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Xml.Linq;
using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests.Packaging;

/// <summary>The libraries as they are packed, and the samples as users build them on those packages.</summary>
public sealed class SampleTests : IDisposable
{
    private static readonly string[] Libraries = ["Fpn.Detection", "Fpn.Imaging", "Fpn.Models", "Fpn.Serving"];

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
        await BuildAsync("WebApi");

        Assert.Contains("\nRBC 0.", await RunConsoleAsync("blood-cells", "smear.jpg"), StringComparison.Ordinal);
        Assert.Contains("\nperson 0.", await RunConsoleAsync("everyday", "astronaut.jpg"), StringComparison.Ordinal);
        await AssertCountsAsync();
    }

    [Fact]
    public void ConsoleSample_Program_FitsOnOneScreen() =>
        Assert.InRange(
            File.ReadAllLines(Path.Combine(Checkout.Root, "samples", "Console", "Program.cs")).Length, 1, 20);

    private async Task PackAsync()
    {
        foreach (var library in Libraries)
        {
            await DotnetAsync(
                Checkout.Root, "pack", Path.Combine("src", library), "-c", "Release", "-o", Packages,
                "--artifacts-path", Path.Combine(_folder, "work"), "-p:RunAnalyzers=false");
        }
    }

    /// <summary>With license, README, docs and symbols; depending on managed packages only, and on nothing of
    /// HTTP.</summary>
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

    /// <summary>All other packages are taken from where they are; ours must not be left there for the next
    /// test.</summary>
    private async Task BuildAsync(string sample)
    {
        var cache = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        await DotnetAsync(
            Path.Combine(Samples, sample), "build", "-c", "Release",
            $"-p:RestorePackagesPath={Path.Combine(_folder, "restored")}", $"-p:RestoreFallbackFolders={cache}");
    }

    private async Task<string> RunConsoleAsync(string model, string picture)
    {
        var (code, output, errors) = await ProgramRun.RunAsync(
            _folder, ProgramOf("Console"), Path.Combine(Checkout.Models, model), Checkout.Sample(picture));
        Assert.True(code == 0, output + errors);
        return "\n" + output;
    }

    /// <summary>The web app's own endpoint counts the cells of a smear.</summary>
    private async Task AssertCountsAsync()
    {
        var address = string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort.Find()}");
        var start = new ProcessStartInfo(ProgramOf("WebApi"))
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            ArgumentList = { "--urls", address, "--Models", Checkout.BloodCells, "--Model", "blood-cells" },
        };
        using var program = Process.Start(start)!;
        try
        {
            var cancellation = TestContext.Current.CancellationToken;
            var output = new OutputLines(program.StandardOutput);
            await output.WaitForAsync(
                0, line => line.Contains("Now listening on", StringComparison.Ordinal), cancellation);
            using var client = new HttpClient { BaseAddress = new Uri(address) };
            using var smear = new ByteArrayContent(
                await File.ReadAllBytesAsync(Checkout.Sample("smear.jpg"), cancellation));
            using var answer = await client.PostAsync("count", smear, cancellation);
            var counts = await answer.Content.ReadFromJsonAsync<Dictionary<string, int>>(cancellation);
            Assert.InRange(counts!["RBC"], 1, 100);

            using var rubbish = new ByteArrayContent(new byte[100]);
            using var refusal = await client.PostAsync("count", rubbish, cancellation);
            Assert.Equal(HttpStatusCode.UnsupportedMediaType, refusal.StatusCode);
        }
        finally
        {
            program.Kill();
            await program.WaitForExitAsync(CancellationToken.None);
        }
    }

    private string ProgramOf(string sample) => Path.Combine(
        Samples, sample, "bin", "Release", "net10.0", RuntimeInformation.RuntimeIdentifier, sample);

    private static async Task DotnetAsync(string folder, params string[] arguments)
    {
        // No process of the build may outlive the test.
        var (code, output, errors) = await ProgramRun.RunAsync(
            folder, "dotnet", [.. arguments, "--nologo", "-nodeReuse:false", "-p:UseSharedCompilation=false"]);
        Assert.True(code == 0, output + errors);
    }
}
