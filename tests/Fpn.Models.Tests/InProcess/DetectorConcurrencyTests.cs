using Fpn.Imaging.Pixels;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Models.Tests.InProcess;

/// <summary>Many callers at once, callers that give up, and a detector that is disposed under them.</summary>
[Trait("Speed", "slow")]
[Collection(Alone.Collection)]
public sealed class DetectorConcurrencyTests
{
    private static readonly CancellationToken Canceled = new(canceled: true);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Detect_ManyThreads_EachGetsItsOwnAnswer()
    {
        using var detector = DetectorFixture.BloodCells();
        string[] names = ["smear.jpg", "smear-wide.jpg", "cat.jpg", "cameraman.jpg"];
        var files = names.Select(name => File.ReadAllBytes(Checkout.Sample(name))).ToArray();
        var alone = files.Select(file => DetectorFixture.Lines(detector.Detect(file, Cancellation))).ToArray();
        Assert.NotEmpty(alone[0]);
        Assert.NotEqual(alone[0], alone[1]);

        var threads = Enumerable.Range(0, 8).Select(thread => Task.Factory.StartNew(
            () =>
            {
                for (var i = 0; i < files.Length; i++)
                {
                    var file = (thread + i) % files.Length;
                    Assert.Equal(alone[file], DetectorFixture.Lines(detector.Detect(files[file], Cancellation)));
                }
            },
            Cancellation,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default));
        var tasks = Enumerable.Range(0, 16).Select(async index =>
        {
            var file = index % files.Length;
            Assert.Equal(
                alone[file], DetectorFixture.Lines(await detector.DetectAsync(files[file], Cancellation)));
        });
        await Task.WhenAll(threads.Concat(tasks));
    }

    [Fact]
    public async Task Detect_CanceledBefore_DoesNothing()
    {
        var held = NativeImageMemory.HeldBytes;
        using var detector = DetectorFixture.BloodCells();
        var file = await File.ReadAllBytesAsync(Checkout.SampleImage, Cancellation);
        using var stream = new MemoryStream(file);

        Assert.ThrowsAny<OperationCanceledException>(() => detector.Detect(file, Canceled));
        Assert.ThrowsAny<OperationCanceledException>(() => detector.Detect(stream, Canceled));
        Assert.ThrowsAny<OperationCanceledException>(() => detector.DetectPixels(2, 1, new byte[6], Canceled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => detector.DetectAsync(file, Canceled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => detector.DetectAsync(stream, Canceled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => detector.DetectPixelsAsync(2, 1, new byte[6], Canceled));
        Assert.Equal(0, stream.Position);
        Assert.Equal(held, NativeImageMemory.HeldBytes);
    }

    /// <summary>Two images are decoded at the same time with one thread; a third waits, and may give up.</summary>
    [Fact]
    public async Task DetectAsync_CanceledWhileItWaits_LeavesTheOthersAlone()
    {
        using var gate = new GateCodec();
        using var detector = DetectorFixture.BloodCells(new DetectorOptions { Threads = 1, Codecs = [gate] });
        using var giveUp = new CancellationTokenSource();
        var file = await File.ReadAllBytesAsync(Checkout.SampleImage, Cancellation);
        var first = detector.DetectAsync(file, Cancellation);
        var second = detector.DetectAsync(file, Cancellation);
        await gate.ArrivedAsync(2);
        var third = detector.DetectAsync(file, giveUp.Token);
        Assert.False(third.IsCompleted);

        await giveUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => third);
        gate.Open();
        Assert.NotEmpty((await first).Objects);
        Assert.Equal((await first).Objects, (await second).Objects);
        Assert.Equal((await first).Objects, (await detector.DetectAsync(file, Cancellation)).Objects);
    }

    [Fact]
    public async Task DetectAsync_CanceledWhileItDecodes_FreesThePicture()
    {
        var held = NativeImageMemory.HeldBytes;
        using var gate = new GateCodec();
        using var detector = DetectorFixture.BloodCells(new DetectorOptions { Codecs = [gate] });
        using var giveUp = new CancellationTokenSource();
        var file = await File.ReadAllBytesAsync(Checkout.SampleImage, Cancellation);
        var running = detector.DetectAsync(file, giveUp.Token);
        await gate.ArrivedAsync(1);

        await giveUp.CancelAsync();
        gate.Open();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Equal(held, NativeImageMemory.HeldBytes);
    }

    [Fact]
    public async Task Dispose_WhileAnImageIsDecoded_EndsItsTask()
    {
        var held = NativeImageMemory.HeldBytes;
        using var gate = new GateCodec();
        var detector = DetectorFixture.BloodCells(new DetectorOptions { Codecs = [gate] });
        var file = await File.ReadAllBytesAsync(Checkout.SampleImage, Cancellation);
        var running = detector.DetectAsync(file, Cancellation);
        await gate.ArrivedAsync(1);

        detector.Dispose();
        gate.Open();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => running);
        Assert.Throws<ObjectDisposedException>(() => detector.Detect(file, Cancellation));
        await Assert.ThrowsAsync<ObjectDisposedException>(
            () => detector.DetectPixelsAsync(2, 1, new byte[6], Cancellation));
        detector.Dispose();
        Assert.Equal(held, NativeImageMemory.HeldBytes);
    }

    /// <summary>Wherever the others are when it happens, each gets its whole answer or the exception.</summary>
    [Fact]
    public async Task Dispose_WhileManyDetect_AnswersOrThrows()
    {
        var held = NativeImageMemory.HeldBytes;
        var file = await File.ReadAllBytesAsync(Checkout.SampleImage, Cancellation);
        string[] alone;
        using (var detector = DetectorFixture.BloodCells())
        {
            alone = DetectorFixture.Lines(detector.Detect(file, Cancellation));
        }

        var (answered, refused) = (0, 0);
        for (var round = 0; round < 6; round++)
        {
            var detector = DetectorFixture.BloodCells();
            var tasks = Enumerable.Range(0, 6).Select(_ => detector.DetectAsync(file, Cancellation)).ToList();
            await Task.WhenAny(tasks[..(round % 2 + 1)]);
            detector.Dispose();
            foreach (var task in tasks)
            {
                try
                {
                    Assert.Equal(alone, DetectorFixture.Lines(await task));
                    answered++;
                }
                catch (ObjectDisposedException)
                {
                    refused++;
                }
            }
        }

        Assert.Equal(36, answered + refused);
        Assert.True(answered >= 6 && refused >= 1, $"{answered} answered, {refused} refused");
        Assert.Equal(held, NativeImageMemory.HeldBytes);
    }

    [Fact]
    public async Task Detect_AnswerOrRejection_FreesThePicture()
    {
        using var detector = DetectorFixture.BloodCells();
        var held = NativeImageMemory.HeldBytes;
        var file = await File.ReadAllBytesAsync(Checkout.SampleImage, Cancellation);
        var image = detector.Detect(file, Cancellation);

        // Whole at first sight: the picture has been allocated by the time its data turn out to be none.
        byte[] damaged =
            [.. MadePng.Header(50, 40), .. MadePng.Chunk("IDAT", new byte[100]), .. MadePng.Chunk("IEND", [])];
        Assert.Equal(
            ImageRejection.Undecodable,
            Assert.Throws<ImageRejectedException>(() => detector.Detect(damaged, Cancellation)).Reason);
        await Assert.ThrowsAsync<ImageRejectedException>(() => detector.DetectAsync(damaged, Cancellation));
        detector.DetectPixels(2, 1, new byte[6], Cancellation);
        await detector.DetectAsync(Pictures.Png(40, 30), Cancellation);

        Assert.NotEmpty(image.Objects);
        Assert.Equal(held, NativeImageMemory.HeldBytes);
    }
}
