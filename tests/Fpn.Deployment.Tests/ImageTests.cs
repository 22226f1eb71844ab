using System.Globalization;
using System.Net;
using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests;

/// <summary>The images that docker/Dockerfile and docker/Dockerfile.gpu make, built and run without an
/// engine.</summary>
[Collection(Alone.Collection)]
public sealed class ImageTests(ImageFixture images, ITestOutputHelper output) : IClassFixture<ImageFixture>
{
    private const long Megabyte = 1_000_000;

    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.Astronaut);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Image_Configuration_IsWhatEnginesAndClustersExpect(bool gpu)
    {
        Assert.SkipWhen(images.Absent is not null, images.Absent ?? string.Empty);
        var (_, image) = await images.OpenAsync(gpu);
        Assert.Equal("1654:1654", image.User);
        Assert.Equal(["/app/Fpn.Service"], image.Entrypoint);
        Assert.Empty(image.Command);
        Assert.Equal("/app", image.WorkingDir);
        Assert.Equal("SIGTERM", image.StopSignal);
        Assert.Equal(["8001/tcp", "8080/tcp"], image.ExposedPorts.Order());
        Assert.Equal(["CMD", "/app/Fpn.Service", "healthcheck"], image.HealthCheck);
        Assert.Contains("Fpn__Shutdown__Delay=5s", image.Environment);
        Assert.Contains("ASPNETCORE_URLS=http://+:8080", image.Environment);
        Assert.Contains("Fpn__Grpc__Port=8001", image.Environment);
        var version = typeof(Program).Assembly.GetName().Version!;
        Assert.Equal(version.ToString(3), image.Labels["org.opencontainers.image.version"]);
        Assert.Equal(gpu ? "unknown" : "0123abc", image.Labels["org.opencontainers.image.revision"]);
        Assert.All(["title", "description", "licenses", "created"], name => Assert.NotEmpty(
            image.Labels[$"org.opencontainers.image.{name}"]));
    }

    [Fact]
    public async Task CpuImage_Files_AreThoseThatAreNeeded()
    {
        Assert.SkipWhen(images.Absent is not null, images.Absent ?? string.Empty);
        var (root, _) = await images.OpenAsync(gpu: false);
        var app = new DirectoryInfo(Path.Combine(root, "app")).GetFiles("*", SearchOption.AllDirectories);
        Assert.DoesNotContain(app, file => file.Extension is ".pdb" or ".dylib" or ".meta" || file.Name.StartsWith(
            "libmscordbi", StringComparison.Ordinal));
        Assert.DoesNotContain(app, file => file.Name.Contains("providers_cuda", StringComparison.Ordinal));
        Assert.False(File.Exists(Path.Combine(root, "bin", "sh")), "The image has a shell.");
        Assert.False(Directory.Exists(Path.Combine(root, "usr", "share", "dotnet")),
            "The image has an SDK or a runtime besides the service's own.");
        Assert.Equal(["everyday"], Directory.GetDirectories(Path.Combine(root, "models")).Select(Path.GetFileName));

        string[] libraries = ["libonnxruntime", "libvips"];
        var native = app
            .Where(file => Array.Exists(libraries, name => file.Name.StartsWith(name, StringComparison.Ordinal)))
            .Sum(file => file.Length);
        var rest = app.Sum(file => file.Length) - native;
        var models = new DirectoryInfo(Path.Combine(root, "models")).GetFiles("*", SearchOption.AllDirectories)
            .Sum(file => file.Length);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"MB: ONNX Runtime and libvips {native / Megabyte}, .NET and the service {rest / Megabyte}, models "
                + $"{models / Megabyte}"));

        // docs/deploy.md promises it.
        Assert.InRange((native + rest + models) / Megabyte, 1, 170);
    }

    /// <summary>The framework is trimmed in the image: its answers are held against those of the service as it is
    /// tested.</summary>
    [Fact]
    public async Task CpuImage_ReadOnlyAsNonRoot_AnswersAsTheServiceDoes()
    {
        Assert.SkipWhen(images.Absent is not null, images.Absent ?? string.Empty);
        var (root, image) = await images.OpenAsync(gpu: false);
        var address = Address();
        // The CPU by choice, since the image lacks CUDA's provider and the machine a GPU: the reasons differ.
        using var container = new ContainerProcess(
            root, image, image.Entrypoint, ("ASPNETCORE_URLS", address), ("Fpn__Batching__MaxBatchSize", "1"),
                ("Fpn__Execution__Provider", "cpu"));
        using var client = new HttpClient { BaseAddress = new Uri(address) };
        await container.Output.WaitForAsync(
            0, line => line.Contains("Now listening on", StringComparison.Ordinal), Cancel);

        // Not root, nothing to regain, nothing to write to.
        var status = await container.ReadProcAsync("status");
        Assert.Contains("Uid:\t1654\t1654\t1654\t1654", status);
        Assert.Contains("Gid:\t1654\t1654\t1654\t1654", status);
        Assert.Contains(status, line => line.StartsWith("Groups:", StringComparison.Ordinal) && line["Groups:".Length..]
            .Trim().Length == 0);
        Assert.Contains("CapEff:\t0000000000000000", status);
        Assert.Contains("NoNewPrivs:\t1", status);
        var mounts = (await container.ReadProcAsync("mountinfo")).Select(line => line.Split(' '))
            .Where(mount => mount[4] == "/").ToList();
        Assert.All(mounts, mount => Assert.Contains("ro", mount[5].Split(',')));
        Assert.NotEmpty(mounts);

        using (var service = new RunningService(
            ("Fpn:Models:Path", Checkout.Everyday), ("Fpn:Models:Default", "everyday"),
                ("Fpn:Batching:MaxBatchSize", "1"),
            ("Fpn:Execution:Provider", "cpu")))
        {
            Assert.Equal((await service.Client.DetectAsync(Sample)).Detections(), (await client.DetectAsync(Sample))
                .Detections());
            foreach (var path in new[] { "swagger/v1/swagger.json", "models", "swagger/index.html", "", "v2",
                "v2/models/everyday" })
            {
                // The image leaves ImageSharp out and BMP with it, and its document says so.
                var tested = await service.Client.GetStringAsync(path, Cancel);
                Assert.Equal(
                    tested.Replace("TIFF, AVIF or BMP image.", "TIFF or AVIF image.", StringComparison.Ordinal),
                    await client.GetStringAsync(path, Cancel));
            }

            foreach (var format in new[] { "coco", "voc", "yolo", "image" })
            {
                Assert.Equal(await DetectAsync(service.Client, format), await DetectAsync(client, format));
            }

            using var expected = await service.Client.PostDetectAsync(Sample, "maxDetections=none");
            using var actual = await client.PostDetectAsync(Sample, "maxDetections=none");
            Assert.Equal(HttpStatusCode.BadRequest, actual.StatusCode);
            Assert.Equal(WithoutTrace(await expected.Content.ReadAsStringAsync(Cancel)), WithoutTrace(
                await actual.Content.ReadAsStringAsync(Cancel)));
        }

        Assert.Contains("fpn_ready 1", await client.GetStringAsync("metrics", Cancel), StringComparison.Ordinal);

        // Healthy until it is told to end, though it serves on for five seconds.
        Assert.Equal(0, await CheckHealthAsync(root, image, address));
        container.SendTerminate();
        await container.Output.WaitForAsync(
            0, line => line.Contains("Shutting down: not ready any more", StringComparison.Ordinal), Cancel);
        Assert.Equal(1, await CheckHealthAsync(root, image, address));
        Assert.NotEmpty((await client.DetectAsync(Sample)).Detections());
        Assert.Equal((0, string.Empty), await container.WaitForExitAsync());
    }

    /// <summary>Refusals come from code that reflects, which trimming could have broken.</summary>
    [Theory]
    [InlineData("--Fpn:Shutdown:Timeout=0s", "Setting 'Fpn:Shutdown:Timeout' must be from")]
    [InlineData("--Fpn:Limits:MaxImageBytes=0", "Setting 'Fpn:Limits:MaxImageBytes' must be from")]
    [InlineData("--Fpn:Execution:Provider=tpu", "Setting 'Fpn:Execution:Provider' must be one of")]
    [InlineData("--Fpn:Models:Default=pets", "Setting 'Fpn:Models:Default'")]
    public async Task CpuImage_WrongSetting_IsNamed(string argument, string message)
    {
        Assert.SkipWhen(images.Absent is not null, images.Absent ?? string.Empty);
        var (root, image) = await images.OpenAsync(gpu: false);
        using var container =
            new ContainerProcess(root, image, [.. image.Entrypoint, argument], ("ASPNETCORE_URLS", Address()));
        var (code, errors) = await container.WaitForExitAsync();
        Assert.Equal(1, code);
        Assert.StartsWith($"Fpn.Service cannot start: {message}", errors, StringComparison.Ordinal);
    }

    /// <summary>Without a GPU the image for GPUs serves on the CPU; the provider is there for when it is asked
    /// for.</summary>
    [Fact]
    public async Task GpuImage_WithoutAGpu_ServesOnTheCpu()
    {
        Assert.SkipWhen(images.Absent is not null, images.Absent ?? string.Empty);
        var (root, image) = await images.OpenAsync(gpu: true);
        Assert.True(File.Exists(Path.Combine(root, "app", "libonnxruntime_providers_cuda.so")));

        // The service was compiled for the other image already.
        Assert.DoesNotContain("Fpn.Service -> /app/service/", images.GpuBuild, StringComparison.Ordinal);
        Assert.Contains("dotnet publish", images.GpuBuild, StringComparison.Ordinal);

        var address = Address();
        using var container = new ContainerProcess(
            root, image, image.Entrypoint, ("ASPNETCORE_URLS", address), ("Fpn__Shutdown__Delay", "0s"));
        await container.Output.WaitForAsync(
            0, line => line.Contains("Now listening on", StringComparison.Ordinal), Cancel);
        using var client = new HttpClient { BaseAddress = new Uri(address) };
        Assert.NotEmpty((await client.DetectAsync(Sample)).Detections());
        Assert.Equal(0, await CheckHealthAsync(root, image, address));
        container.SendTerminate();
        Assert.Equal((0, string.Empty), await container.WaitForExitAsync());
    }

    private static string Address() =>
        string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{FreePort.Find()}");

    /// <summary>An answer byte by byte, pictures included.</summary>
    private static async Task<byte[]> DetectAsync(HttpClient client, string format)
    {
        using var answer = await client.PostDetectAsync(Sample, $"format={format}");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsByteArrayAsync(Cancel);
    }

    private static string WithoutTrace(string problem) =>
        problem[..problem.IndexOf("\"traceId\"", StringComparison.Ordinal)];

    private static async Task<int> CheckHealthAsync(string root, ImageConfiguration image, string address)
    {
        using var check = new ContainerProcess(root, image, image.HealthCheck[1..], ("ASPNETCORE_URLS", address));
        return (await check.WaitForExitAsync()).Code;
    }
}
