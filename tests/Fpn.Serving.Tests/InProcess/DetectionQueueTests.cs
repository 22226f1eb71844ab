using System.Text.Json;
using Fpn.Models;
using Fpn.Models.Loading;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Fpn.Serving.Requests;
using Fpn.Serving.Sizing;
using Fpn.Testing.Fakes;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Fpn.Serving.Tests.InProcess;

/// <summary>The queue in a program that is not the service: a plain host without HTTP.</summary>
public sealed class DetectionQueueTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Detect_BloodCells_AnswersAsTheServiceDoes()
    {
        using var host = BloodCells();
        await host.StartAsync(Cancel);
        var queue = host.Services.GetRequiredService<IDetectionQueue>();
        var image = await File.ReadAllBytesAsync(Checkout.SampleImage, Cancel);
        var result = await queue.DetectAsync(new DetectionRequest(image) { Cancellation = Cancel });
        Assert.True(result.Succeeded);

        using var service = new RunningService();
        var within = await service.Services.GetRequiredService<IDetectionQueue>()
            .DetectAsync(new DetectionRequest(image));
        Assert.NotEmpty(result.Value.Objects);
        Assert.Equal(within.Value!.Objects, result.Value.Objects);
        var answer = await service.Client.DetectAsync(image);
        var sent = answer.GetProperty("detections").EnumerateArray().ToArray();
        Assert.Equal(sent.Length, result.Value.Objects.Count);
        Assert.All(sent.Zip(result.Value.Objects), pair => AssertSame(pair.First, pair.Second));
        Assert.Equal(answer.GetProperty("image").GetProperty("width").GetInt32(), result.Value.Size.Width);
        Assert.Equal(1, result.Value.BatchSize);
        Assert.True(result.Value.TotalTime > TimeSpan.Zero);
        await host.StopAsync(Cancel);
    }

    [Fact]
    public async Task Models_BloodCells_DescribesIt()
    {
        using var host = BloodCells();
        var queue = host.Services.GetRequiredService<IDetectionQueue>();
        Assert.Empty(queue.Models);
        await host.StartAsync(Cancel);
        var model = Assert.Single(queue.Models);
        Assert.Equal(("blood-cells", ExecutionProvider.Cpu), (model.Name, model.Device.Provider));
        Assert.Contains(new ModelClass("RBC", 1), model.Classes);

        await queue.LoadAsync("blood-cells");
        Assert.Equal("blood-cells", Assert.Single(queue.Models).Name);
        var missing = await Assert.ThrowsAsync<ModelPackageException>(() => queue.LoadAsync("horses"));
        Assert.Contains("there is no package 'horses'", missing.Message, StringComparison.Ordinal);
        await host.StopAsync(Cancel);
    }

    [Fact]
    public async Task Detect_BadImagesAndModels_AreExpectedFailures()
    {
        using var detector = new FakeDetector { RunsFreely = true };
        using var host = Fake(detector);
        await host.StartAsync(Cancel);
        var queue = host.Services.GetRequiredService<IDetectionQueue>();
        var bad = await queue.DetectAsync(new DetectionRequest("no image"u8.ToArray()));
        Assert.Equal((FailureKind.UnsupportedFormat, 415), (bad.Failure!.Kind, bad.Failure.HttpStatus));
        var unknown = await queue.DetectAsync(new DetectionRequest(Pictures.Png(10, 16)) { Model = "horses" });
        Assert.Equal(
            ("unknown-model", 404, "There is no model 'horses'. Known: fake."),
            (unknown.Failure!.Name, unknown.Failure.HttpStatus, unknown.Failure.Detail));
        await host.StopAsync(Cancel);
    }

    [Fact]
    public async Task Detect_ManyCallers_ShareBatches()
    {
        using var detector = new FakeDetector { RunsFreely = true };
        using var host = Fake(detector);
        await host.StartAsync(Cancel);
        detector.Forget();
        detector.RunsFreely = false;
        var queue = host.Services.GetRequiredService<IDetectionQueue>();
        var first = queue.DetectAsync(new DetectionRequest(Pictures.Png(10, 16)));
        var run = await detector.NextRunAsync();
        var others = Enumerable.Range(11, 3)
            .Select(width => queue.DetectAsync(new DetectionRequest(Pictures.Png(width, 16)))).ToArray();
        await Eventually.TrueAsync(() => Waiting(host) == 3);
        run.End();
        var second = await detector.NextRunAsync();
        Assert.Equal([11, 12, 13], second.Widths.Order());
        second.End();
        Assert.Equal(1, (await first).Value!.BatchSize);
        Assert.All(await Task.WhenAll(others), result => Assert.Equal(3, result.Value!.BatchSize));
        Assert.Equal("thing", Assert.Single((await first).Value!.Objects).Label);
        await host.StopAsync(Cancel);
    }

    [Fact]
    public async Task Stop_Host_AnswersWhatWaitsAndFinishesWhatRuns()
    {
        using var detector = new FakeDetector { RunsFreely = true };
        using var host = Fake(detector);
        await host.StartAsync(Cancel);
        detector.Forget();
        detector.RunsFreely = false;
        var queue = host.Services.GetRequiredService<IDetectionQueue>();
        var running = queue.DetectAsync(new DetectionRequest(Pictures.Png(10, 16)));
        var run = await detector.NextRunAsync();
        var waiting = queue.DetectAsync(new DetectionRequest(Pictures.Png(11, 16)));
        await Eventually.TrueAsync(() => Waiting(host) == 1);
        await host.StopAsync(Cancel);
        Assert.Equal(FailureKind.ShuttingDown, (await waiting).Failure?.Kind);
        var late = await queue.DetectAsync(new DetectionRequest(Pictures.Png(12, 16)));
        Assert.Equal(FailureKind.ShuttingDown, late.Failure?.Kind);
        run.End();
        Assert.True((await running).Succeeded);
    }

    /// <summary>Without a host, the first request loads the models.</summary>
    [Fact]
    public async Task Detect_PlainServices_LoadsOnDemandAndCancels()
    {
        using var detector = new FakeDetector { RunsFreely = true };
        var services = new ServiceCollection().AddLogging().AddMetrics();
        services.AddSingleton<IModelPackages>(new FakePackages(("fake", () => detector))).AddFpnDetection(_ => { });
        await using var provider = services.BuildServiceProvider();
        var queue = provider.GetRequiredService<IDetectionQueue>();
        Assert.True((await queue.DetectAsync(new DetectionRequest(Pictures.Png(10, 16)))).Succeeded);

        detector.Forget();
        detector.RunsFreely = false;
        using var gone = new CancellationTokenSource();
        var answer = queue.DetectAsync(new DetectionRequest(Pictures.Png(10, 16)) { Cancellation = gone.Token });
        var run = await detector.NextRunAsync();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
        run.End();
    }

    public static TheoryData<string, Action<FpnDetectionOptions>> Wrong => new()
    {
        { "Option 'ModelsFolder' must name a folder.", options => options.ModelsFolder = "" },
        { "Option 'DefaultModel' must name a model.", options => options.DefaultModel = "" },
        { "Option 'Threads' must be from 1 to 1024.", options => options.Threads = 0 },
        { "Option 'MaxImagePixels' must be from 1 to 8589934592 pixels.", options => options.MaxImagePixels = 0 },
        {
            "Option 'MaxDecodedBytes' must be from 1048576 to 68719476736 bytes.",
            options => options.MaxDecodedBytes = 1
        },
        { "Option 'Codecs' must not be null.", options => options.Codecs = null! },
        { "Option 'Batching' must not be null.", options => options.Batching = null! },
        {
            "Option 'Batching.QueueCapacity' must be from 1 to 100000 images.",
            options => options.Batching.QueueCapacity = 0
        },
        { "Option 'Cuda.Streams' must be from 1 to 4.", options => options.Cuda.Streams = 9 },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Add_WrongOption_IsRefusedInOneLine(string message, Action<FpnDetectionOptions> configure)
    {
        var refusal = Assert.Throws<InvalidOptionException>(() => new ServiceCollection().AddFpnDetection(configure));
        Assert.Equal(message, refusal.Message);
    }

    [Fact]
    public void Add_Twice_IsRefused() => Assert.Throws<InvalidOperationException>(
        () => new ServiceCollection().AddFpnDetection(_ => { }).AddFpnDetection(_ => { }));

    [Fact]
    public async Task Start_NoSuchFolder_EndsTheHostWithOneLine()
    {
        using var host = Build(services => services.AddFpnDetection(options => options.ModelsFolder = "nowhere"));
        var refusal = await Assert.ThrowsAsync<InvalidOptionException>(() => host.StartAsync(Cancel));
        Assert.Contains("nowhere", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
    }

    private static IHost BloodCells() => Build(services => services.AddFpnDetection(options =>
    {
        options.ModelsFolder = Checkout.BloodCells;
        options.DefaultModel = "blood-cells";
        options.Batching.MaxBatchSize = 4;
    }));

    private static IHost Fake(FakeDetector detector) => Build(services => services
        .AddSingleton<IModelPackages>(new FakePackages(("fake", () => detector)))
        .AddFpnDetection(options => options.Batching = new BatchingOptions { MaxBatchSize = 4 }));

    private static IHost Build(Action<IServiceCollection> add)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddMetrics();
        add(builder.Services);
        return builder.Build();
    }

    private static int Waiting(IHost host) =>
        host.Services.GetRequiredService<Lanes.LaneRegistry>().Lanes[0].Batcher.Waiting;

    /// <summary>The answer over HTTP is rounded: coordinates to 3 decimals, scores to 5.</summary>
    private static void AssertSame(JsonElement sent, LabeledObject found)
    {
        var box = sent.GetProperty("box");
        Assert.Equal(found.Label, sent.GetProperty("label").GetString());
        Assert.Equal(found.ClassId, sent.GetProperty("classId").GetInt32());
        Assert.Equal(found.Score, sent.GetProperty("score").GetSingle(), 1e-5);
        Assert.Equal(found.Box.X1, box.GetProperty("x1").GetSingle(), 1e-3);
        Assert.Equal(found.Box.Y1, box.GetProperty("y1").GetSingle(), 1e-3);
        Assert.Equal(found.Box.X2, box.GetProperty("x2").GetSingle(), 1e-3);
        Assert.Equal(found.Box.Y2, box.GetProperty("y2").GetSingle(), 1e-3);
    }
}
