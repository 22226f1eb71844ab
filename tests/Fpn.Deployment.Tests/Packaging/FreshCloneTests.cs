using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests.Packaging;

/// <summary>
/// What .NET people type, in a copy of the files that git knows, on a machine that has .NET and coreutils and nothing
/// else.
/// </summary>
public sealed partial class FreshCloneTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fpn-clone-").FullName;

    private string Clone => Path.Combine(_folder, "clone");

    private string Programs => Path.Combine(_folder, "bin");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>First as it comes, but for the port; then with the models that the user's environment names.</summary>
    [Fact]
    public async Task Run_ProjectOfAFreshClone_ServesItsModelsUnlessTheEnvironmentNamesOthers()
    {
        await CopyRepositoryAsync();
        await LinkProgramsAsync();
        await ServeAsync(
            ["-p:RunAnalyzers=false", "-p:UseSharedCompilation=false"],
            [],
            async client =>
            {
                var answer = await client.DetectAsync(await File.ReadAllBytesAsync(Checkout.Astronaut, Cancel));
                Assert.Equal("everyday", answer.GetProperty("model").GetString());
                Assert.Contains(
                    answer.Detections(), detection => detection.Contains("person", StringComparison.Ordinal));
            });

        var own = Path.Combine(_folder, "own");
        Directory.CreateDirectory(own);
        Directory.Move(Path.Combine(Clone, "models", "blood-cells"), Path.Combine(own, "blood-cells"));
        await ServeAsync(
            ["--no-build"],
            [("Fpn__Models__Path", own), ("Fpn__Models__Default", "blood-cells")],
            async client =>
            {
                var models = await client.GetFromJsonAsync<JsonElement>("models", Cancel);
                var served = models.GetProperty("models").EnumerateArray();
                Assert.Equal(["blood-cells"], served.Select(model => model.GetProperty("name").GetString()));
            });
    }

    /// <summary>Without other words, it is port 8080 of every address, as the first page says.</summary>
    [Fact]
    public void LaunchSettings_OfTheProject_NamePort8080()
    {
        using var settings = JsonDocument.Parse(
            File.ReadAllText(Path.Combine(Checkout.Root, "src", "Fpn.Service", "Properties", "launchSettings.json")));
        var profile = settings.RootElement.GetProperty("profiles").GetProperty("Fpn.Service");
        var variables = profile.GetProperty("environmentVariables");
        Assert.Equal("8080", variables.GetProperty("ASPNETCORE_HTTP_PORTS").GetString());
    }

    /// <summary>Runs the clone's project, on a port that the environment names, until a check is done.</summary>
    /// <param name="options">More for <c>dotnet run</c>.</param>
    /// <param name="environment">More variables.</param>
    /// <param name="check">Is given a client for the address that the service says it listens on.</param>
    private async Task ServeAsync(
        string[] options, (string Name, string Value)[] environment, Func<HttpClient, Task> check)
    {
        var start = new ProcessStartInfo(Path.Combine(Programs, "dotnet"))
        {
            // From anywhere: the models are found from the project's folder.
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in (string[])
        [
            "run", "-c", "Release", "--project", Path.Combine(Clone, "src", "Fpn.Service"), .. options, "--",
            "--Fpn:Batching:MaxBatchSize=1",
        ])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["PATH"] = Programs;
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_ROOT"] = Path.GetDirectoryName(Environment.ProcessPath);
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

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

            Assert.StartsWith("http://127.0.0.1:", match.Groups[1].Value, StringComparison.Ordinal);
            using var client = new HttpClient { BaseAddress = new Uri(match.Groups[1].Value) };
            await check(client);
        }
        finally
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }
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
        const string CoreUtilities =
            "basename cat cp date dirname env id ls mkdir mv readlink rm sleep sort tr uname wc";
        foreach (var program in CoreUtilities.Split(' '))
        {
            var (_, path, _) = await ProgramRun.RunAsync(
                "/", "sh", "-c", string.Create(CultureInfo.InvariantCulture, $"command -v {program}"));
            File.CreateSymbolicLink(Path.Combine(Programs, program), path.Trim());
        }
    }

    [GeneratedRegex(@"Now listening on: (http://\S+)")]
    private static partial Regex Listening();
}
