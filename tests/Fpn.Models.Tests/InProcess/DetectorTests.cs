using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Vips;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Fpn.Testing.Images;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;

namespace Fpn.Models.Tests.InProcess;

/// <summary>A detector in this process: what it accepts, answers and refuses.</summary>
public sealed class DetectorTests(DetectorFixture fixture) : IClassFixture<DetectorFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void Load_BloodCells_DescribesTheModel()
    {
        using var detector = DetectorFixture.BloodCells(new DetectorOptions { Provider = ExecutionProvider.Cpu });
        var model = detector.Model;

        Assert.Equal(("blood-cells", "1", true), (model.Name, model.Version, model.IsTwoStage));
        Assert.Contains(new ModelClass("RBC", 1), model.Classes);
        Assert.Equal(3, model.Classes.Count);
        Assert.InRange(model.ScoreThreshold, 0.01f, 0.5f);
        Assert.Equal(0.5, model.NmsThreshold, 1e-6);
        Assert.Equal(100, model.MaxDetections);
        Assert.True(model.MinSize <= model.MaxSize);
        Assert.Equal(ExecutionProvider.Cpu, model.Device.Provider);
        Assert.Contains("CPU", model.Device.Name, StringComparison.Ordinal);
        Assert.NotEmpty(model.Device.Reason);
    }

    [Fact]
    public async Task Detect_BytesStreamOrPixels_FindsTheSame()
    {
        var detector = fixture.Get();
        var file = await File.ReadAllBytesAsync(Checkout.SampleImage, Cancellation);
        using var image = new ImageDecoder(40_000_000, new VipsCodec()).Decode(file).Image!;
        var (width, height, rgb) = (image.Size.Width, image.Size.Height, image.Pixels.ToArray());
        await using var stream = File.OpenRead(Checkout.SampleImage);
        await using var second = new MemoryStream([0, 0, .. file]) { Position = 2 };
        await using var slow = new SlowStream(file);
        await using var slowAsync = new SlowStream(file);

        var bytes = detector.Detect(file, Cancellation);
        Assert.NotEmpty(bytes.Objects);
        Assert.Equal((new ImageSize(height, width), ImageFormat.Jpeg), (bytes.Size, bytes.Format));
        ImageDetections[] files =
        [
            detector.Detect(stream, Cancellation),
            detector.Detect(slow, Cancellation),
            await detector.DetectAsync(file, Cancellation),
            await detector.DetectAsync(second, Cancellation),
            await detector.DetectAsync(slowAsync, Cancellation),
        ];
        ImageDetections[] pixels =
        [
            detector.DetectPixels(width, height, rgb, Cancellation),
            await detector.DetectPixelsAsync(width, height, rgb, Cancellation),
        ];

        Assert.All(files.Concat(pixels), found => Assert.Equal(bytes.Objects, found.Objects));
        Assert.All(files.Concat(pixels), found => Assert.Equal(bytes.Size, found.Size));
        Assert.All(files, found => Assert.Equal(ImageFormat.Jpeg, found.Format));
        Assert.All(pixels, found => Assert.Null(found.Format));
        Assert.True(stream.CanRead && second.CanRead && !slow.IsDisposed && !slowAsync.IsDisposed);
    }

    public static TheoryData<string, ImageRejection> Rejected => new()
    {
        { "empty", ImageRejection.UnsupportedFormat },
        { "text", ImageRejection.UnsupportedFormat },
        { "cut off", ImageRejection.Undecodable },
        { "no pixels", ImageRejection.Undecodable },
        { "too many pixels", ImageRejection.TooManyPixels },
        { "too many bytes", ImageRejection.TooManyBytes },
    };

    [Theory]
    [MemberData(nameof(Rejected))]
    public async Task Detect_ImageThatCannotBeUsed_SaysWhy(string kind, ImageRejection reason)
    {
        var smear = await File.ReadAllBytesAsync(Checkout.SampleImage, Cancellation);
        var file = kind switch
        {
            "empty" => [],
            "text" => [.. "This is not an image."u8],
            "cut off" => smear[..(smear.Length / 2)],
            "no pixels" => MadePng.Header(0, 5),
            "too many pixels" => MadePng.Header(100_000, 100_000),
            _ => [.. smear, .. new byte[20 << 20]],
        };
        var detector = fixture.Get();
        await using var stream = new SlowStream(file, step: 1 << 20);
        await using var streamAsync = new SlowStream(file, step: 1 << 20);

        ImageRejectedException[] rejections =
        [
            Assert.Throws<ImageRejectedException>(() => detector.Detect(file, Cancellation)),
            Assert.Throws<ImageRejectedException>(() => detector.Detect(stream, Cancellation)),
            await Assert.ThrowsAsync<ImageRejectedException>(() => detector.DetectAsync(file, Cancellation)),
            await Assert.ThrowsAsync<ImageRejectedException>(() => detector.DetectAsync(streamAsync, Cancellation)),
        ];

        Assert.All(rejections, rejection => Assert.Equal(reason, rejection.Reason));
        Assert.All(rejections, rejection => Assert.Equal(rejections[0].Message, rejection.Message));
        Assert.EndsWith(".", rejections[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Detect_EndlessStream_ReadsOneByteMoreThanAllowed()
    {
        using var detector = DetectorFixture.BloodCells(new DetectorOptions { MaxImageBytes = 200_000 });
        await using var stream = new SlowStream(new byte[1 << 20], step: 70_000);

        await Assert.ThrowsAsync<ImageRejectedException>(() => detector.DetectAsync(stream, Cancellation));

        Assert.InRange(stream.BytesRead, 200_001, 270_000);
    }

    [Fact]
    public void Detect_SeekableStreamTooLong_ReadsNothing()
    {
        using var detector = DetectorFixture.BloodCells(new DetectorOptions { MaxImageBytes = 1000 });
        using var stream = new MemoryStream(new byte[1001]);

        Assert.Throws<ImageRejectedException>(() => detector.Detect(stream, Cancellation));

        Assert.Equal(0, stream.Position);
    }

    [Theory]
    [InlineData(0, 5, 0)]
    [InlineData(5, -1, 15)]
    [InlineData(4, 2, 23)]
    [InlineData(4, 2, 25)]
    public async Task DetectPixels_NotAsManyAsTheSizeSays_IsRefused(int width, int height, int bytes)
    {
        var detector = fixture.Get();
        Assert.ThrowsAny<ArgumentException>(() => detector.DetectPixels(width, height, new byte[bytes], Cancellation));
        await Assert.ThrowsAnyAsync<ArgumentException>(
            () => detector.DetectPixelsAsync(width, height, new byte[bytes], Cancellation));
    }

    [Fact]
    public void DetectPixels_MoreThanAllowed_IsRefused()
    {
        using var detector = DetectorFixture.BloodCells(new DetectorOptions { MaxImagePixels = 11 });
        var rejection = Assert.Throws<ImageRejectedException>(
            () => detector.DetectPixels(4, 3, new byte[36], Cancellation));

        Assert.Equal(ImageRejection.TooManyPixels, rejection.Reason);
        Assert.Contains("at most 11 pixels", rejection.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model", "blood-cells", "1")]
    [InlineData("blood-cells/7", "blood-cells", "7")]
    [InlineData("other/7", "blood-cells", "1")]
    public void Load_FolderWithAnotherName_IsCalledByItsManifest(string path, string name, string version)
    {
        using var models = new ModelFolder();
        var made = models.Add(
            "made", text => ModelFolder.Edit(text, "\"name\": \"made\"", "\"name\": \"blood-cells\""));
        var package = Path.Combine(models.Path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(package)!);
        Directory.Move(made, package);
        using var detector = Detector.Load(package + Path.DirectorySeparatorChar);
        Assert.Equal((name, version), (detector.Model.Name, detector.Model.Version));
    }

    [Fact]
    public void Load_NoPackageThere_NamesTheFile()
    {
        var folder = Path.Combine(Checkout.Models, "no-such-model");
        var failure = Assert.Throws<ModelPackageException>(() => Detector.Load(folder));

        Assert.Contains(Path.Combine(folder, "model.json"), failure.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> WrongOptions => new()
    {
        { "threads", "Option 'Threads' must be from 1 to 1024." },
        { "pixels", "Option 'MaxImagePixels' must be from 1 to 536870911 pixels." },
        { "bytes", "Option 'MaxImageBytes' must be from 1 to 1073741824 bytes." },
        { "provider", "Option 'Provider' must be Auto, Cpu or Cuda." },
        { "cuda", "Option 'Cuda' must not be null." },
        { "codecs", "Option 'Codecs' must not be null." },
        { "streams", "Option 'Cuda.Streams' must be from 1 to 4." },
    };

    [Theory]
    [MemberData(nameof(WrongOptions))]
    public void Load_OptionOutOfRange_NamesTheOption(string option, string message)
    {
        var options = option switch
        {
            "threads" => new DetectorOptions { Threads = 0 },
            "pixels" => new DetectorOptions { MaxImagePixels = 0 },
            "bytes" => new DetectorOptions { MaxImageBytes = (1L << 30) + 1 },
            "provider" => new DetectorOptions { Provider = (ExecutionProvider)7 },
            "cuda" => new DetectorOptions { Cuda = null! },
            "codecs" => new DetectorOptions { Codecs = null! },
            _ => new DetectorOptions { Cuda = new CudaOptions { Streams = 5 } },
        };

        Assert.Equal(message, Assert.Throws<InvalidOptionException>(() => DetectorFixture.BloodCells(options)).Message);
    }

    [Fact]
    public async Task LoadAsync_Canceled_LoadsNothing() => await Assert.ThrowsAnyAsync<OperationCanceledException>(
        () => Detector.LoadAsync(
            Path.Combine(Checkout.Models, "blood-cells"), cancellationToken: new CancellationToken(canceled: true)));

    [Fact]
    public async Task LoadAsync_FolderWithTrailingSlash_Detects()
    {
        using var detector = await Detector.LoadAsync(
            Path.Combine(Checkout.Models, "blood-cells") + Path.DirectorySeparatorChar,
            cancellationToken: Cancellation);
        var file = await File.ReadAllBytesAsync(Checkout.SampleImage, Cancellation);

        Assert.NotEmpty((await detector.DetectAsync(file, Cancellation)).Objects);
    }
}
