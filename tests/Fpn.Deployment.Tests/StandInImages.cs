using System.Globalization;
using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests;

/// <summary>
/// Base images made of what this machine has, for machines that cannot pull the public ones: Debian, made by
/// debootstrap,
/// with the machine's .NET SDK; and what .NET needs at run time without a shell, as the chiselled images are.
/// </summary>
/// <remarks>Everything, buildah's storage included, is in one folder that goes in the end.</remarks>
internal sealed class StandInImages : IAsyncDisposable
{
    /// <summary>The image with the SDK, a shell and apt.</summary>
    public const string Sdk = "localhost/fpn-test-sdk";

    /// <summary>The image with little more than glibc, libstdc++ and OpenSSL.</summary>
    public const string Bare = "localhost/fpn-test-bare";

    private const string Certificates = "/etc/ssl/certs/ca-certificates.crt";

    private static readonly string[] Programs = ["buildah", "debootstrap", "dpkg-deb", "setpriv", "unshare"];

    /// <summary>How this machine reaches its registries, whatever way that is.</summary>
    private static readonly string[] Network =
    [
        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
        "SSL_CERT_FILE", "NUGET_CERT_REVOCATION_MODE",
    ];

    /// <summary>What is mounted into a build.</summary>
    private readonly List<string> _volumes = [];

    /// <summary>Where everything is.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("fpn-images-").FullName;

    /// <summary>Why images cannot be built here, if they cannot.</summary>
    public static string? Absent =>
        Array.Find(Programs, program => Find(program) is null) is { } missing
            ? $"buildah is absent, or something else that images are built with here: {missing}."
            : Environment.UserName != "root" ? "buildah is absent for users other than root here: it mounts."
            : null;

    private string Root => Path.Combine(Folder, "root");

    /// <summary>Makes both images.</summary>
    public async Task MakeAsync()
    {
        var debian = Path.Combine(Folder, "debian");
        var (site, codename) = await FindDebianAsync();
        await RunAsync(
            "debootstrap", "--variant=minbase", "--include=ca-certificates,libssl3,libstdc++6", codename, debian, site);
        await MakeSdkAsync(debian);
        await MakeBareAsync(Path.Combine(debian, "var", "cache", "apt", "archives"));
        await RunAsync("rm", "-rf", debian);
        await AddPackagesAsync();
    }

    /// <summary>Builds an image of the repository with these bases.</summary>
    /// <param name="dockerfile">Below the repository's folder.</param>
    /// <param name="name">The image's name.</param>
    /// <param name="last">What the last stage stands on.</param>
    /// <param name="more">More arguments of buildah.</param>
    /// <returns>What the build printed.</returns>
    public Task<string> BuildAsync(string dockerfile, string name, string last, params string[] more) => BuildahAsync(
        [
            "build", "--format", "docker", "--isolation", "chroot", "--layers", "--file", Path.Combine(
                Checkout.Root, dockerfile), "--tag", name,
            "--build-arg", $"SDK_IMAGE={Sdk}", "--build-arg", $"BASE_IMAGE={last}",
            .. _volumes.SelectMany(volume => new[] { "--volume", volume }),
            .. more, Checkout.Root,
        ]);

    /// <summary>Runs buildah on this storage.</summary>
    /// <returns>What it printed on standard output.</returns>
    public Task<string> BuildahAsync(params string[] arguments) =>
        RunAsync("buildah", ["--root", Root, "--runroot", Path.Combine(Folder, "run"), .. arguments]);

    public async ValueTask DisposeAsync()
    {
        if (Directory.Exists(Root))
        {
            await BuildahAsync("umount", "--all");
            await BuildahAsync("rm", "--all");
            await BuildahAsync("rmi", "--all", "--force");
            // buildah leaves its storage mounted on itself, in some versions.
            await ProgramRun.RunAsync("/", "umount", Path.Combine(Root, "overlay"));
        }

        await RunAsync("rm", "-rf", "--one-file-system", Folder);
    }

    private static string Home => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);

    private static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator).Append("/usr/sbin")
            .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var (code, output, errors) = await ProgramRun.RunAsync("/", Find(program) ?? program, arguments);
        Assert.True(code == 0, string.Create(CultureInfo.InvariantCulture,
            $"{program} {string.Join(' ', arguments)}: {code}\n{Tail(errors)}\n{Tail(output)}"));
        return output;
    }

    private static string Tail(string text) => text.Length <= 4000 ? text : text[^4000..];

    /// <summary>The release that the machine runs, and where it gets its packages from.</summary>
    private static async Task<(string Site, string Codename)> FindDebianAsync()
    {
        var release = await File.ReadAllLinesAsync("/etc/os-release", TestContext.Current.CancellationToken);
        var codename = release.First(line => line.StartsWith(
            "VERSION_CODENAME=", StringComparison.Ordinal))["VERSION_CODENAME=".Length..].Trim('"');
        var targets = await RunAsync(
            "apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(SITE)", "Created-By: Packages");
        var main = targets.Split('\n').First(line => line.StartsWith($"{codename} main ", StringComparison.Ordinal));
        return (main.Split(' ')[2], codename);
    }

    private async Task MakeSdkAsync(string debian)
    {
        foreach (var folder in new[] { "usr/share/dotnet", "root/.nuget/NuGet" })
        {
            Directory.CreateDirectory(Path.Combine(debian, folder));
        }

        await RunAsync("cp", "-a", $"{Path.GetDirectoryName(Environment.ProcessPath)}/.", Path.Combine(
            debian, "usr/share/dotnet"));
        File.CreateSymbolicLink(Path.Combine(debian, "usr/bin/dotnet"), "../share/dotnet/dotnet");
        foreach (var (from, to) in new[]
        {
            (Certificates, Certificates),
            (Path.Combine(Home, ".nuget/NuGet/NuGet.Config"), "/root/.nuget/NuGet/NuGet.Config"),
        })
        {
            if (File.Exists(from))
            {
                File.Copy(from, debian + to, overwrite: true);
            }
        }

        var environment = Network.Where(name => Environment.GetEnvironmentVariable(name) is not null)
            .SelectMany(name => new[] { "--env", $"{name}={Environment.GetEnvironmentVariable(name)}" });
        await CommitAsync("scratch", debian, Sdk, ["--env", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1", .. environment]);
    }

    /// <summary>Unpacks the libraries without their packages' scripts and documents, as the chiselled images hold
    /// them.</summary>
    private async Task MakeBareAsync(string packages)
    {
        var bare = Directory.CreateDirectory(Path.Combine(Folder, "bare")).FullName;
        foreach (var package in new[] { "base-files", "libc6", "libgcc-s1", "libssl3", "libstdc++6" })
        {
            await RunAsync("dpkg-deb", "--extract", Directory.GetFiles(packages, $"{package}_*.deb").Single(), bare);
        }

        await RunAsync(
            "rm", "-rf", Path.Combine(bare, "usr/share"), Path.Combine(bare, "usr/lib/x86_64-linux-gnu/gconv"));
        await CommitAsync("scratch", bare, Bare,
            ["--env", "ASPNETCORE_HTTP_PORTS=8080", "--env", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=true"]);
    }

    private async Task CommitAsync(string last, string folder, string name, string[] configuration)
    {
        var container = (await BuildahAsync("from", "--pull-never", last)).Trim();
        await BuildahAsync("add", "--quiet", container, folder, "/");
        if (configuration.Length > 0)
        {
            await BuildahAsync(["config", .. configuration, container]);
        }

        await BuildahAsync("commit", "--quiet", "--format", "docker", "--rm", container, name);
    }

    /// <summary>
    /// A copy of the machine's packages, which the steps of a build share: what one of them fetches the next one
    /// finds. Of
    /// hard links where the file system allows it, since packages are written once.
    /// </summary>
    private async Task AddPackagesAsync()
    {
        var machines = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(Home, ".nuget", "packages");
        var own = Path.Combine(Folder, "packages");
        if (!Directory.Exists(machines))
        {
            Directory.CreateDirectory(own);
        }
        else if ((await ProgramRun.RunAsync("/", "cp", "-al", machines, own)).ExitCode != 0)
        {
            await RunAsync("rm", "-rf", own);
            await RunAsync("cp", "-a", machines, own);
        }

        _volumes.Add($"{own}:/root/.nuget/packages");
    }
}
