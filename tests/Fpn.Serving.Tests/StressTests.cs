using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Fpn.Detection.Tensors;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Pixels;
using Fpn.Imaging.Vips;
using Fpn.Serving.Lanes;
using Fpn.Serving.Pipeline;
using Fpn.Serving.Requests;
using Fpn.Testing.Goldens;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Microsoft.Extensions.DependencyInjection;

namespace Fpn.Serving.Tests;

/// <summary>Many clients at once, some of which misbehave, against the real service on the loopback
/// interface.</summary>
/// <remarks>Nothing else runs meanwhile: the whole process's memory is measured.</remarks>
[Collection(Alone.Collection)]
[Trait("Speed", "slow")]
public sealed class StressTests(ITestOutputHelper output)
{
    private const int Clients = 64;
    private const int MaxBatchSize = 3;

    /// <summary>No client sends more in a phase, however fast the machine.</summary>
    private const int MostRequests = 2000;

    /// <summary>Each of the two phases; memory is compared between their ends.</summary>
    private static readonly TimeSpan Phase = TimeSpan.FromSeconds(30);

    /// <summary>Pause between the pieces of a body that is sent slowly, and between a client's turns.</summary>
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(100);

    private static readonly string[] Images =
    [
        "smear-480x640.jpg", "crowded-480x800.jpg", "odd-333x500.jpg", "odd-501x333.png", "grey-360x480.jpg",
        "exif6-480x360.jpg", "palette-300x400.png", "large-900x1200.jpg", "pixel-1x1.png",
    ];

    private readonly ConcurrentDictionary<string, int> _tally = [];

    /// <summary>Detections of each image, sent by itself.</summary>
    private readonly Dictionary<string, GoldenDetection[]> _alone = [];

    private long _phaseStart;

    private bool IsPhaseOver => Stopwatch.GetElapsedTime(_phaseStart) > Phase;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Detect_ManyClientsForAWhile_AnswersEachWithItsOwnAndKeepsMemoryFlat()
    {
        using var service = new RunningService(
            ("Fpn:Batching:MaxBatchSize", $"{MaxBatchSize}"),
            ("Fpn:Batching:QueueCapacity", "54"),
            ("Fpn:Limits:MaxDecodedBytes", $"{16 << 20}"));
        foreach (var name in Images)
        {
            var body = await ServedDetections.PostAsync(service.Client, MadeImages.Read(name), Cancel);
            _alone.Add(name, ServedDetections.Of(body));
        }

        FillTensorPool(service);
        await RunPhaseAsync(service, seed: 1);
        var before = await SettleAsync(service);
        await RunPhaseAsync(service, seed: 2);
        var after = await SettleAsync(service);

        var counts = _tally.OrderBy(entry => entry.Key, StringComparer.Ordinal);
        var tally = string.Join(", ", counts.Select(entry => $"{entry.Key}: {entry.Value}"));
        var line = $"stress: {tally}; managed {before.Managed} -> {after.Managed} bytes, "
            + $"native {before.Native} -> {after.Native} bytes";
        output.WriteLine(line);
        Console.WriteLine(line);
        Assert.True(_tally.GetValueOrDefault("honest 200") > 100, tally);
        Assert.True(
            _tally.Keys.Any(key => key.StartsWith("batch of ", StringComparison.Ordinal) && key != "batch of 1"),
            tally);
        Assert.InRange(after.Managed - before.Managed, long.MinValue, 2 << 20);
        Assert.InRange(after.Native - before.Native, long.MinValue, 64 << 10);
    }

    /// <summary>Makes every tensor that could be needed: which sizes are needed at the same time is a matter of
    /// chance.</summary>
    private static void FillTensorPool(RunningService service)
    {
        const int AtATime = 3;
        var model = service.Services.GetRequiredService<LaneRegistry>().Lanes[0].Model;
        var sizes = Images.Select(name =>
        {
            using var image = new ImageDecoder(40_000_000, new VipsCodec()).Decode(MadeImages.Read(name)).Image!;
            return model.Measure(image).Geometry.Padded;
        }).Distinct().ToList();
        var tensors = sizes.SelectMany(size => Enumerable.Range(0, AtATime * MaxBatchSize)
            .Select(i => ImageBatch.Rent(1 + (i % MaxBatchSize), size))).ToList();
        tensors.ForEach(tensor => tensor.Dispose());
    }

    private async Task RunPhaseAsync(RunningService service, int seed)
    {
        _phaseStart = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(
            async () =>
            {
                var random = new Random((seed * 1000) + client);
                Func<RunningService, Random, Task> behave = (client % 16) switch
                {
                    0 => HangUpWithinTheBodyAsync,
                    1 => HangUpBeforeTheAnswerAsync,
                    2 => SendSlowlyAsync,
                    3 => SendRubbishAsync,
                    _ => SendHonestlyAsync,
                };
                using var pace = new PeriodicTimer(Pace);
                for (var i = 0; i < MostRequests && !IsPhaseOver; i++)
                {
                    await behave(service, random);
                    await pace.WaitForNextTickAsync(Cancel);
                }
            },
            Cancel)));
    }

    /// <summary>Up to five requests over one connection; the answers must be each image's own.</summary>
    private async Task SendHonestlyAsync(RunningService service, Random random)
    {
        using var connection = await RawConnection.OpenAsync(service.Address);
        for (var i = 0; i < 5 && !IsPhaseOver; i++)
        {
            var name = Images[random.Next(Images.Length)];
            var priority = (RequestPriority)random.Next(3);
            var timeout = random.Next(10) == 0 ? "X-Request-Timeout-Ms: 300\r\n" : string.Empty;
            await connection.SendDetectAsync(MadeImages.Read(name), $"X-Priority: {priority}\r\n{timeout}");
            CheckAnswer("honest", await connection.ReadAnswerAsync(), name);
        }
    }

    private async Task SendSlowlyAsync(RunningService service, Random random)
    {
        using var connection = await RawConnection.OpenAsync(service.Address);
        var name = Images[random.Next(Images.Length)];
        var image = MadeImages.Read(name);
        await connection.SendAsync($"POST /detect HTTP/1.1\r\nHost: test\r\nContent-Length: {image.Length}\r\n\r\n");
        using var pace = new PeriodicTimer(Pace);
        foreach (var piece in image.Chunk((image.Length / 10) + 1))
        {
            await connection.SendAsync(piece);
            await pace.WaitForNextTickAsync(Cancel);
        }

        CheckAnswer("slow", await connection.ReadAnswerAsync(), name);
    }

    private async Task HangUpWithinTheBodyAsync(RunningService service, Random random)
    {
        using var connection = await RawConnection.OpenAsync(service.Address);
        var image = MadeImages.Read(Images[random.Next(Images.Length)]);
        await connection.SendAsync(
            $"POST /detect HTTP/1.1\r\nHost: test\r\nContent-Length: {image.Length}\r\nExpect: 100-continue\r\n\r\n");
        await connection.ReadHeadAsync();
        await connection.SendAsync(image[..random.Next(image.Length)]);
        connection.Reset();
        Count("hung up within the body");
    }

    /// <summary>An honest request with the same image follows, which keeps the pace and shows whether the service still
    /// works.</summary>
    private async Task HangUpBeforeTheAnswerAsync(RunningService service, Random random)
    {
        var name = Images[random.Next(Images.Length)];
        using (var connection = await RawConnection.OpenAsync(service.Address))
        {
            await connection.SendDetectAsync(MadeImages.Read(name));
            connection.Reset();
            Count("hung up before the answer");
        }

        using var next = await RawConnection.OpenAsync(service.Address);
        await next.SendDetectAsync(MadeImages.Read(name));
        CheckAnswer("honest", await next.ReadAnswerAsync(), name);
    }

    private async Task SendRubbishAsync(RunningService service, Random random)
    {
        var image = MadeImages.Read("smear-480x640.jpg");
        var noise = new byte[random.Next(1, 10_000)];
        random.NextBytes(noise);
        using var connection = await RawConnection.OpenAsync(service.Address);
        if (random.Next(3) == 0)
        {
            await connection.SendAsync("GET nonsense\r\n\r\n");
            Assert.Equal(400, (await connection.ReadAnswerAsync()).Status);
        }
        else
        {
            await connection.SendDetectAsync(random.Next(2) == 0 ? noise : image[..random.Next(1, image.Length / 2)]);
            var answer = await connection.ReadAnswerAsync();
            Assert.True(answer.Status is 415 or 422 or 503, $"{answer.Status} {answer.Body}");
            Count($"rubbish {answer.Status}");
        }
    }

    private void CheckAnswer(string who, RawAnswer answer, string image)
    {
        Count($"{who} {answer.Status}");
        Assert.True(answer.Status is 200 or 503 or 504, $"{answer.Status} {answer.Body}");
        using var body = JsonDocument.Parse(answer.Body);
        if (answer.Status == 200)
        {
            var tolerance = GoldenModel.BloodCells.Meta.Tolerance;
            DetectionMatcher.AssertMatches(image, _alone[image], ServedDetections.Of(body.RootElement), tolerance);
            Count($"batch of {body.RootElement.GetProperty("batchSize").GetInt32()}");
        }
        else
        {
            var problem = body.RootElement.GetProperty("type").GetString();
            Assert.Equal(answer.Status == 503 ? "queue-full" : "deadline-passed", problem);
        }
    }

    private void Count(string what) => _tally.AddOrUpdate(what, 1, (_, count) => count + 1);

    /// <summary>Waits for those whose clients left, and measures what is live.</summary>
    private static async Task<(long Managed, long Native)> SettleAsync(RunningService service)
    {
        var lane = service.Services.GetRequiredService<LaneRegistry>().Lanes.Single();
        var budget = service.Services.GetRequiredService<ByteBudget>();
        await Eventually.TrueAsync(() => lane.Admitted == 0 && budget.Used == 0 && NativeImageMemory.HeldBytes == 0);
        var errors = service.Log.All.Where(logged => logged.StartsWith("Error", StringComparison.Ordinal)).ToList();
        Assert.True(errors.Count == 0, $"{errors.Count} errors, the first: {errors.FirstOrDefault()}");
        service.Log.Clear();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return (GC.GetTotalMemory(forceFullCollection: true), NativeImageMemory.TrackedBytes);
    }
}
