using System.Globalization;
using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests.Packaging;

/// <summary>
/// The GPU benchmark, packed without CUDA's provider and without ResNet-50, in pieces that are small enough to be many;
/// and a folder of programs that stands for a bare machine.
/// </summary>
public sealed class PackedBenchmark : IAsyncLifetime
{
    /// <summary>Megabytes of a piece at most.</summary>
    internal const int PieceMegabytes = 16;

    /// <summary>All that run.sh calls: neither .NET nor Python, nor anything that would fetch something.</summary>
    private static readonly string[] BareMachine =
    [
        "awk", "bash", "cat", "cmp", "cp", "dirname", "env", "grep", "gzip", "ldd", "mkdir", "rm", "sed", "sha256sum",
            "tar", "tee",
        "timeout", "tr", "uname", "xz",
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("fpn-gpu-benchmark-").FullName;

    /// <summary>The folder with run.sh, the checksums and the pieces.</summary>
    internal string Folder => Path.Combine(_folder, "packed");

    /// <summary>Where everything was unpacked by <see cref="RunAsync"/>.</summary>
    internal string Unpacked => Path.Combine(_folder, "unpacked");

    /// <summary>The pieces.</summary>
    internal IReadOnlyList<FileInfo> Pieces =>
        [.. Directory.EnumerateFiles(Folder, "payload.*").Order(StringComparer.Ordinal)
            .Select(file => new FileInfo(file))];

    public async ValueTask InitializeAsync()
    {
        var programs = Directory.CreateDirectory(Path.Combine(_folder, "bin")).FullName;
        var path = (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator);
        foreach (var program in BareMachine)
        {
            var found = path.Select(folder => Path.Combine(folder, program)).First(File.Exists);
            File.CreateSymbolicLink(Path.Combine(programs, program), found);
        }

        // No process of the build may outlive the test.
        var (code, _, errors) = await ProgramRun.RunAsync(
            Checkout.Root,
            "env",
            "MSBUILDDISABLENODEREUSE=1",
            "benchmarks/gpu/pack.sh",
            "--without-cuda",
            "--without-resnet50",
            "--piece-megabytes",
            PieceMegabytes.ToString(CultureInfo.InvariantCulture),
            "--compression",
            "1",
            "--work",
            Path.Combine(_folder, "work"),
            "--out",
            Folder);
        Assert.True(code == 0, errors);
    }

    /// <summary>A folder of its own for a test; goes with the fixture.</summary>
    internal string NewFolder() =>
        Directory.CreateDirectory(Path.Combine(_folder, Path.GetRandomFileName())).FullName;

    /// <summary>Runs a packed run.sh with an empty environment but for the programs of a bare machine.</summary>
    /// <param name="folder">The folder that holds it.</param>
    /// <param name="arguments">Its arguments.</param>
    internal Task<(int ExitCode, string Output, string Errors)> RunAsync(string folder, params string[] arguments) =>
        ProgramRun.RunAsync(
            folder,
            "env",
            ["-i", $"PATH={Path.Combine(_folder, "bin")}", "bash", Path.Combine(
                folder, "run.sh"), "--work", Unpacked, .. arguments]);

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}
