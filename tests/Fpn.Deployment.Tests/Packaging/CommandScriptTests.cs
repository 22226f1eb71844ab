using Fpn.Deployment.Tests.Architecture;
using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests.Packaging;

/// <summary>
/// <c>./fpn</c>, in a copy of the repository's skeleton whose .NET is a stand-in that only notes how it was called.
/// </summary>
public sealed class CommandScriptTests : IDisposable
{
    private const string StandIn = """
        #!/bin/sh
        case "$1" in
          --list-sdks) echo "10.0.100 [/stand-in]" ;;
          publish) echo "publish $2" >> "$NOTES" ;;
          *) echo "run in $PWD: $*" >> "$NOTES"; echo "urls $ASPNETCORE_URLS" >> "$NOTES.urls"; exit 7 ;;
        esac
        """;

    private readonly string _root = Directory.CreateTempSubdirectory("fpn-script-").FullName;

    public CommandScriptTests()
    {
        string[] folders = ["build", "bin", "artifacts/tool", "elsewhere"];
        var projects = Directory.EnumerateDirectories(Path.Combine(Checkout.Root, "src"))
            .Select(folder => Path.GetRelativePath(Checkout.Root, folder));
        foreach (var folder in folders.Concat(projects))
        {
            Directory.CreateDirectory(At(folder));
        }

        string[] files =
        [
            "fpn", "build/prepare.sh", "Directory.Build.props", "Directory.Packages.props", "global.json",
            "src/Directory.Build.props", "src/Directory.Build.targets", "src/Native.props",
        ];
        foreach (var file in files)
        {
            File.Copy(Path.Combine(Checkout.Root, file), At(file));
        }

        File.WriteAllText(At("bin/dotnet"), StandIn);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    /// <summary>
    /// Arguments arrive as they were, the folder stays the caller's, and so does the command's exit status.
    /// </summary>
    [Fact]
    public async Task Fpn_Inspect_BuildsOnceAndRunsTheCommand()
    {
        Assert.Equal(7, (await RunAsync("inspect", "models/my pets", "--json")).Code);
        Assert.Equal(7, (await RunAsync("inspect", "models/cats")).Code);
        var tool = At("artifacts/tool/Fpn.Tool.dll");
        Assert.Equal(
            [
                $"publish {At("src/Fpn.Tool")}",
                $"run in {At("elsewhere")}: {tool} inspect models/my pets --json",
                $"run in {At("elsewhere")}: {tool} inspect models/cats",
            ],
            File.ReadAllLines(At("notes")));
    }

    /// <summary>The tool is built from the projects that it may refer to, and from no other.</summary>
    [Fact]
    public async Task Fpn_ChangedSource_BuildsAgainIfTheToolDependsOnIt()
    {
        string[] needed =
        [
            "Fpn.Tool", .. DependencyTests.Arrows.Single(arrow => arrow.Data.Item1 == "Fpn.Tool").Data.Item2,
        ];
        var projects = Directory.GetDirectories(At("src")).Select(folder => Path.GetFileName(folder)).ToArray();
        Assert.Subset(projects.ToHashSet(), needed.ToHashSet());
        Assert.Contains("Fpn.Service", projects);
        foreach (var project in projects)
        {
            File.WriteAllText(At($"src/{project}/Source.cs"), string.Empty);
        }

        await RunAsync("--version");
        var built = File.GetLastWriteTimeUtc(At("artifacts/tool/.published"));
        foreach (var project in projects)
        {
            File.Delete(At("notes"));
            var source = At($"src/{project}/Source.cs");
            File.SetLastWriteTimeUtc(source, built + TimeSpan.FromHours(1));
            await RunAsync("--version");
            File.SetLastWriteTimeUtc(source, built - TimeSpan.FromHours(1));
            var notes = File.ReadAllLines(At("notes"));
            Assert.Equal(needed.Contains(project), notes.Contains($"publish {At("src/Fpn.Tool")}"));
        }
    }

    [Theory]
    [InlineData]
    [InlineData("serve")]
    public async Task Fpn_NoCommand_Ends2BeforeItBuilds(params string[] arguments)
    {
        var (code, output, errors) = await RunAsync(arguments);
        Assert.Equal((2, string.Empty), (code, output));
        Assert.Contains("\n  ./fpn inspect PACKAGE", errors, StringComparison.Ordinal);
        Assert.Equal(
            arguments.Length > 0, errors.StartsWith("./fpn: unknown command 'serve'\n", StringComparison.Ordinal));
        Assert.False(File.Exists(At("notes")));
    }

    [Fact]
    public async Task Fpn_Help_ListsTheCommandsAndEnds0BeforeItBuilds()
    {
        var (code, output, errors) = await RunAsync("--help");
        Assert.Equal((0, string.Empty), (code, errors));
        Assert.Contains("\n  ./fpn inspect PACKAGE", output, StringComparison.Ordinal);
        Assert.Contains("\n  ./fpn healthcheck", output, StringComparison.Ordinal);
        Assert.False(File.Exists(At("notes")));
    }

    /// <summary>Beside run.sh, which listens on 8080, and not where .NET would by default.</summary>
    [Fact]
    public async Task Fpn_Healthcheck_AsksWhereRunShListens()
    {
        Assert.Equal(7, (await RunAsync("healthcheck")).Code);
        Assert.Equal(["urls http://0.0.0.0:8080"], File.ReadAllLines(At("notes.urls")));
    }

    private string At(string path) => Path.Combine(_root, path);

    private async Task<(int Code, string Output, string Errors)> RunAsync(params string[] arguments) =>
        await ProgramRun.RunAsync(
            At("elsewhere"),
            "bash",
            [
                "-c",
                """
                root=$1 NOTES=$1/notes PATH=$1/bin:$PATH; export NOTES PATH; unset ASPNETCORE_URLS
                chmod +x "$root"/bin/*
                shift; exec "$root/fpn" "$@"
                """,
                "bash",
                _root,
                .. arguments,
            ]);
}
