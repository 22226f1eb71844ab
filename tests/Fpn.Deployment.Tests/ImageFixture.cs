namespace Fpn.Deployment.Tests;

/// <summary>Both images, built for real from the Dockerfiles, and their files.</summary>
public sealed class ImageFixture : IAsyncLifetime
{
    private const string Cpu = "localhost/fpn-service:cpu";
    private const string Gpu = "localhost/fpn-service:gpu";

    private readonly StandInImages? _bases = StandInImages.Absent is null ? new StandInImages() : null;

    /// <summary>Why there are none, if there are none.</summary>
    internal string? Absent { get; } = StandInImages.Absent;

    /// <summary>What the second build printed.</summary>
    internal string GpuBuild { get; private set; } = string.Empty;

    public async ValueTask InitializeAsync()
    {
        if (_bases is null)
        {
            return;
        }

        await _bases.MakeAsync();
        await _bases.BuildAsync("docker/Dockerfile", Cpu, StandInImages.Bare, "--build-arg", "REVISION=0123abc");
        GpuBuild = await _bases.BuildAsync("docker/Dockerfile.gpu", Gpu, StandInImages.Sdk);
    }

    /// <summary>Opens an image.</summary>
    /// <param name="gpu">Which.</param>
    /// <returns>The folder with its files, its configuration, and its size in bytes above the base.</returns>
    internal async Task<(string Root, ImageConfiguration Configuration)> OpenAsync(bool gpu)
    {
        var name = gpu ? Gpu : Cpu;
        var container = (await _bases!.BuildahAsync("from", "--pull-never", name)).Trim();
        var root = (await _bases.BuildahAsync("mount", container)).Trim();
        return (root, ImageConfiguration.Parse(await _bases.BuildahAsync("inspect", "--type", "image", name)));
    }

    public async ValueTask DisposeAsync()
    {
        if (_bases is not null)
        {
            await _bases.DisposeAsync();
        }
    }
}
