using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Xml.Linq;
using Fpn.Client.Tests.Running;
using Fpn.Testing.Running;

namespace Fpn.Client.Tests;

/// <summary>The package as users get it, and a trimmed program that is built on it.</summary>
public sealed class PackageTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fpn-client-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Reflection that trimming could break would be a warning, and each warning is an error.</summary>
    [Fact]
    public async Task Package_InATrimmedProgram_Detects()
    {
        var version = await PackAsync();
        AssertIsComplete(version);
        await WriteProgramAsync(version);
        await DotnetAsync(
            Path.Combine(_folder, "program"), "publish", "-c", "Release", "-o", Path
                .Combine(_folder, "out"), "--nologo");

        using var service = new ServiceProcess(GuardedProcess.Arguments());
        var address = await service.WaitForAddressAsync();
        var (code, output, errors) = await ProgramRun.RunAsync(
            _folder, Path.Combine(_folder, "out", "program"), address.ToString(), Checkout.SampleImage);
        Assert.True(code == 0, output + errors);
        var client = new FpnClient(new HttpClient { BaseAddress = address });
        var image = ImageSource.FromFile(Checkout.SampleImage);
        var expected = await client.DetectAsync(image, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal($"{expected.Detections.Count} {expected.Detections[0].Box} unknown-model", output.Trim());
    }

    private async Task<string> PackAsync()
    {
        await DotnetAsync(
            Checkout.Root, "pack", Path.Combine("src", "Fpn.Client"), "-c", "Release", "-o", Path
                .Combine(_folder, "packages"),
            "--artifacts-path", Path.Combine(_folder, "work"), "--nologo");
        var package = Assert.Single(Directory.GetFiles(Path.Combine(_folder, "packages"), "*.nupkg"));
        return Path.GetFileNameWithoutExtension(package)["Fpn.Client.".Length..];
    }

    private void AssertIsComplete(string version)
    {
        using var package = ZipFile.OpenRead(Path.Combine(_folder, "packages", $"Fpn.Client.{version}.nupkg"));
        var names = package.Entries.Select(entry => entry.FullName).ToArray();
        Assert.Contains("README.md", names);
        Assert.Contains("lib/net10.0/Fpn.Client.dll", names);
        Assert.Contains("lib/net10.0/Fpn.Client.xml", names);
        using var stream = package.GetEntry("Fpn.Client.nuspec")!.Open();
        var metadata = XDocument.Load(stream).Root!.Elements().Single();
        string Text(string name) => metadata.Elements().Single(element => element.Name.LocalName == name).Value;
        Assert.Equal(("MIT", "README.md"), (Text("license"), Text("readme")));
        Assert.NotEmpty(Text("description"));
        Assert.Equal(
            ["Microsoft.Extensions.Http", "Polly.Core"],
            metadata.Descendants().Where(element => element.Name.LocalName == "dependency")
                .Select(element => element.Attribute("id")!.Value).Order());

        using var symbols = ZipFile.OpenRead(Path.Combine(_folder, "packages", $"Fpn.Client.{version}.snupkg"));
        Assert.Contains("lib/net10.0/Fpn.Client.pdb", symbols.Entries.Select(entry => entry.FullName));
    }

    /// <summary>A console program of somebody else, outside the repository and its settings.</summary>
    private async Task WriteProgramAsync(string version)
    {
        var program = Directory.CreateDirectory(Path.Combine(_folder, "program")).FullName;

        // All other packages are taken from where they are; this one must not be left there for the next test.
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        await File.WriteAllTextAsync(Path.Combine(program, "program.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <InvariantGlobalization>true</InvariantGlobalization>
                <RuntimeIdentifier>{RuntimeInformation.RuntimeIdentifier}</RuntimeIdentifier>
                <PublishTrimmed>true</PublishTrimmed>
                <TrimMode>full</TrimMode>
                <TrimmerSingleWarn>false</TrimmerSingleWarn>
                <EnableAotAnalyzer>true</EnableAotAnalyzer>
                <RestoreAdditionalProjectSources>{Path.Combine(_folder, "packages")}</RestoreAdditionalProjectSources>
                <RestorePackagesPath>{Path.Combine(_folder, "restored")}</RestorePackagesPath>
                <RestoreFallbackFolders>{packages}</RestoreFallbackFolders>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Fpn.Client" Version="{version}" />
                <PackageReference Include="Microsoft.Extensions.DependencyInjection" Version="10.0.15" />
              </ItemGroup>
            </Project>
            """);
        await File.WriteAllTextAsync(Path.Combine(program, "Program.cs"), """
            using Fpn.Client;
            using Microsoft.Extensions.DependencyInjection;

            var services = new ServiceCollection();
            services.AddFpnClient(options => options.BaseAddress = new Uri(args[0]));
            await using var provider = services.BuildServiceProvider();
            var client = provider.GetRequiredService<FpnClient>();
            var image = ImageSource.FromFile(args[1]);
            var batch = await client.DetectBatchAsync([image]);
            var model = (await client.ListModelsAsync())[0];
            var result = await client.DetectAsync(image, new DetectOptions { Model = model.Name, Explain = true });
            if (batch[0].Result!.Detections.Count != result.Explanation!.Detections.Count || !(
                await client.GetHealthAsync()).IsReady)
            {
                return 1;
            }

            try
            {
                await client.GetModelAsync("horses");
                return 2;
            }
            catch (FpnProblemException problem)
            {
                Console.WriteLine($"{result.Detections.Count} {result.Detections[0].Box} {problem.Type}");
                return 0;
            }
            """);
    }

    private static async Task DotnetAsync(string folder, params string[] arguments)
    {
        // No process of the build may outlive the test.
        var (code, output, errors) = await ProgramRun.RunAsync(
            folder, "dotnet", [.. arguments, "-nodeReuse:false", "-p:UseSharedCompilation=false"]);
        Assert.True(code == 0, output + errors);
    }
}
