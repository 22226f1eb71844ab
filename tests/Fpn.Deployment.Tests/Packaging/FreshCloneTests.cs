using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests.Packaging;

/// <summary>
/// What .NET people type, in a copy of the files that git knows, on a machine that has .NET and coreutils and nothing else.
/// </summary>
public sealed partial class FreshCloneTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fpn-clone-").FullName;

    private string Clone => Path.Combine(_folder, "clone");

    private string Programs => Path.Combine(_folder, "bin");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Run_ProjectOfAFreshClone_ServesTheDefaultModel()
    {
        await CopyRepositoryAsync();
        await LinkProgramsAsync();
        var start = new ProcessStartInfo(Path.Combine(Programs, "dotnet"))
        {
            // From anywhere: the models are found from the project's folder.
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in (string[])
        [
            "run", "-c", "Release", "--project", Path.Combine(Clone, "src", "Fpn.Service"),
            "-p:RunAnalyzers=false", "-p:UseSharedCompilation=false", "--",
            "--urls", "http://127.0.0.1:0", "--Fpn:Batching:MaxBatchSize=1",
        ])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["PATH"] = Programs;
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_ROOT"] = Path.GetDirectoryName(Environment.ProcessPath);
        using var process = Process.Start(start)!;
        try
        {
            var errors = process.StandardError.ReadToEndAsync(Cancel);
            var lines = new List<string>();
            Match match;
            do
            {
                var line = await process.StandardOutput.ReadLineAsync(Cancel);
                if (line is null)
                {
                    Assert.Fail(string.Join('\n', lines) + await errors);
                }

                lines.Add(line);
                match = Listening().Match(line);
            }
            while (!match.Success);

            using var client = new HttpClient { BaseAddress = new Uri(match.Groups[1].Value) };
            var answer = await client.DetectAsync(await File.ReadAllBytesAsync(Checkout.Astronaut, Cancel));
            Assert.Equal("everyday", answer.GetProperty("model").GetString());
            Assert.Contains(
                answer.Detections(), detection => detection.Contains("person", StringComparison.Ordinal));
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    /// <summary>Without other words, it is port 8080 of every address, as the first page says.</summary>
    [Fact]
    public void LaunchSettings_OfTheProject_NamePort8080()
    {
        var settings = File.ReadAllText(Path.Combine(Checkout.Root, "src", "Fpn.Service", "Properties", "launchSettings.json"));
        Assert.Contains("\"applicationUrl\": \"http://0.0.0.0:8080\"", settings, StringComparison.Ordinal);
    }

    private async Task CopyRepositoryAsync()
    {
        var (code, files, errors) = await ProgramRun.RunAsync(
            Checkout.Root, "git", "ls-files", "--cached", "--others", "--exclude-standard", "-z");
        Assert.True(code == 0, errors);
        foreach (var file in files.Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            var from = Path.Combine(Checkout.Root, file);
            if (File.Exists(from))
            {
                var to = Path.Combine(Clone, file);
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                File.Copy(from, to);
            }
        }
    }

    /// <summary>.NET, and what Debian's package coreutils has.</summary>
    private async Task LinkProgramsAsync()
    {
        Directory.CreateDirectory(Programs);
        File.CreateSymbolicLink(Path.Combine(Programs, "dotnet"), Environment.ProcessPath!);
        foreach (var program in "basename cat cp date dirname env id ls mkdir mv readlink rm sleep sort tr uname wc".Split(' '))
        {
            var (_, path, _) = await ProgramRun.RunAsync("/", "sh", "-c", string.Create(CultureInfo.InvariantCulture, $"command -v {program}"));
            File.CreateSymbolicLink(Path.Combine(Programs, program), path.Trim());
        }
    }

    [GeneratedRegex(@"Now listening on: (http://127\.0\.0\.1:\d+)")]
    private static partial Regex Listening();
}
