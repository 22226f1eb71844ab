using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests.Packaging;

/// <summary>The service as it is published for each platform: with its own native libraries, and no
/// other platform's.</summary>
public sealed class PublishedFoldersTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("fpn-publish-").FullName;

    public static TheoryData<string, string[]> Platforms => new()
    {
        {
            "linux-x64",
            [
                "libonnxruntime.so", "libonnxruntime_providers_cuda.so", "libonnxruntime_providers_shared.so",
                    "libvips.so.42",
            ]
        },
        { "linux-arm64", ["libonnxruntime.so", "libonnxruntime_providers_shared.so", "libvips.so.42"] },
        { "win-x64", ["libvips-42.dll", "onnxruntime.dll", "onnxruntime_providers_shared.dll"] },
        { "osx-arm64", ["libonnxruntime.dylib", "libvips.42.dylib"] },
    };

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task Publish_ForAPlatform_HoldsItsOwnNativeLibraries(string platform, string[] libraries)
    {
        await PublishAsync("-r", platform, "--self-contained", "false");
        Assert.Equal(libraries, NativeLibraries());
        Assert.All(Directory.EnumerateFiles(_folder, "lib*"), AssertIsOf(platform));
        Assert.True(File.Exists(Path.Combine(_folder, "fonts", "DejaVuSans-Bold.ttf")));
    }

    [Fact]
    public async Task Publish_WithoutCuda_LeavesItsLibrariesOut()
    {
        await PublishAsync("-r", "linux-x64", "--self-contained", "false", "-p:Cuda=false");
        Assert.Equal(["libonnxruntime.so", "libvips.so.42"], NativeLibraries());
    }

    /// <summary>From the first bytes: an ELF file for x86-64 or ARM64, or a Mach-O file for ARM64.</summary>
    private static Action<string> AssertIsOf(string platform) => file =>
    {
        var start = new byte[20];
        using var stream = File.OpenRead(file);
        stream.ReadExactly(start);
        var expected = platform switch
        {
            "linux-x64" => IsElf(start) && start[18] == 62,
            "linux-arm64" => IsElf(start) && start[18] == 183,
            "osx-arm64" => start.AsSpan().StartsWith((ReadOnlySpan<byte>)[0xCF, 0xFA, 0xED, 0xFE, 0x0C, 0, 0, 1]),
            _ => start.AsSpan().StartsWith("MZ"u8),
        };
        Assert.True(expected, $"{Path.GetFileName(file)} is not of {platform}: {Convert.ToHexString(start)}");
    };

    private static bool IsElf(byte[] start) => start.AsSpan().StartsWith("\u007FELF"u8);

    private string[] NativeLibraries() =>
    [
        .. Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(_folder, path))
            .Where(name => name.Contains("onnxruntime", StringComparison.Ordinal) || name.Contains(
                "libvips", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    private async Task PublishAsync(params string[] arguments)
    {
        // No process of the build may outlive the test, and its files are its own; the lock files must fit.
        var work = Directory.CreateTempSubdirectory("fpn-publish-work-").FullName;
        try
        {
            var (code, output, errors) = await ProgramRun.RunAsync(
                Checkout.Root,
                "dotnet",
                [
                    "publish", Path.Combine(
                        "src", "Fpn.Service"), "-c", "Release", "-o", _folder, "--artifacts-path", work,
                    "-p:RestoreLockedMode=true", "-p:RunAnalyzers=false", "-p:DebugType=none", "--nologo",
                        "-nodeReuse:false",
                    "-p:UseSharedCompilation=false", .. arguments,
                ]);
            Assert.True(code == 0, output + errors);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }
}
