using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Formats;

/// <summary>COCO, VOC and YOLO as torchvision, numpy and Pillow read them, against the service's own JSON.</summary>
[Collection(ServiceFixture.Collection)]
[Trait("Speed", "slow")]
public sealed class RoundTripTests(ServiceFixture fixture)
{
    private const string Python = "/usr/bin/python3";

    private static readonly string Script = Path.Combine(
        Checkout.Root, "tests", "Fpn.Service.Tests", "Formats", "read_formats.py");

    private HttpClient Client => fixture.Service.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Formats_ReadByOthers_AreTheBoxesOfTheJson()
    {
        Assert.SkipUnless(
            await IsTorchvisionThereAsync(),
            "python3-torch is absent (with python3-torchvision, python3-numpy and python3-pil): nothing reads the "
            + "formats.");
        var root = Directory.CreateTempSubdirectory("fpn-formats-").FullName;
        try
        {
            var folders = MadeImages.All.Select(name => Path.Combine(root, name)).ToArray();
            foreach (var (name, folder) in MadeImages.All.Zip(folders))
            {
                await SaveAsync(MadeImages.Read(name), folder);
            }

            var (exitCode, output, errors) = await RunAsync([Script, .. folders]);
            Assert.True(exitCode == 0, errors);
            var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
            Assert.Equal(MadeImages.All.Count, lines.Length);
            foreach (var (name, line) in MadeImages.All.Zip(lines))
            {
                AssertSame(await Client.DetectAsync(MadeImages.Read(name)), JsonDocument.Parse(line).RootElement);
            }
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static void AssertSame(JsonElement json, JsonElement read)
    {
        var image = json.GetProperty("image");
        var (width, height) = (image.GetProperty("width").GetInt32(), image.GetProperty("height").GetInt32());
        Assert.Equal([width, height], Numbers(read.GetProperty("size")).Select(number => (int)number));
        Assert.Equal(
            [width, height], Numbers(read.GetProperty("voc").GetProperty("size")).Select(number => (int)number));
        var detections = json.GetProperty("detections").EnumerateArray().ToArray();
        var expected = detections.Select(Box).ToArray();
        AssertBoxes(expected, read.GetProperty("coco"), 1e-9);
        AssertBoxes(expected, read.GetProperty("yolo"), 0.001);

        // Whole pixels: each side moved outwards by less than one.
        AssertBoxes(expected, read.GetProperty("voc"), 0.9995);
        AssertOutside(expected, read.GetProperty("voc"));
        Assert.Equal(
            detections.Select(detection => detection.GetProperty("label").GetString()),
            Texts(read.GetProperty("voc").GetProperty("classes")));
        var classIds = detections.Select(detection => detection.GetProperty("classId").GetDouble()).ToArray();
        Assert.Equal(classIds, Numbers(read.GetProperty("coco").GetProperty("classes")));
        Assert.Equal(classIds.Select(number => number - 1), Numbers(read.GetProperty("yolo").GetProperty("classes")));
        Assert.All(
            read.GetProperty("coco").GetProperty("images").EnumerateArray(),
            id => Assert.Equal(123456789012, id.GetInt64()));
        var scores = detections.Select(detection => detection.GetProperty("score").GetDouble()).ToArray();
        Assert.All(
            ["coco", "voc", "yolo"],
            format => Assert.Equal(scores, Numbers(read.GetProperty(format).GetProperty("scores"))));
    }

    private async Task SaveAsync(byte[] image, string folder)
    {
        Directory.CreateDirectory(folder);
        (string Format, string File)[] wanted =
            [("coco", "coco.json"), ("voc", "voc.xml"), ("yolo", "yolo.txt"), ("image", "picture.png")];
        foreach (var (format, file) in wanted)
        {
            using var response = await Client.PostDetectAsync(image, $"format={format}&imageId=123456789012");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            await File.WriteAllBytesAsync(
                Path.Combine(folder, file), await response.Content.ReadAsByteArrayAsync(Cancel), Cancel);
        }
    }

    private static async Task<bool> IsTorchvisionThereAsync() =>
        File.Exists(Python) && (await RunAsync("-c", "import torchvision, numpy, PIL")).ExitCode == 0;

    private static async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Python, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{Python} did not start.");
        var output = process.StandardOutput.ReadToEndAsync(Cancel);
        var errors = process.StandardError.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        return (process.ExitCode, await output, await errors);
    }

    private static void AssertBoxes(double[][] expected, JsonElement read, double tolerance)
    {
        var boxes = read.GetProperty("boxes").EnumerateArray().Select(Numbers).ToArray();
        Assert.Equal(expected.Length, boxes.Length);
        foreach (var (box, other) in expected.Zip(boxes))
        {
            Assert.All(box.Zip(other), side => Assert.InRange(side.Second - side.First, -tolerance, tolerance));
        }
    }

    private static void AssertOutside(double[][] expected, JsonElement read)
    {
        foreach (var (box, other) in expected.Zip(read.GetProperty("boxes").EnumerateArray().Select(Numbers)))
        {
            Assert.True(
                other[0] <= box[0] && other[1] <= box[1] && other[2] >= box[2] && other[3] >= box[3],
                $"{string.Join(' ', other)} does not hold {string.Join(' ', box)}");
        }
    }

    private static double[] Box(JsonElement detection) =>
        [.. detection.GetProperty("box").EnumerateObject().Select(side => side.Value.GetDouble())];

    private static double[] Numbers(JsonElement array) =>
        [.. array.EnumerateArray().Select(number => number.GetDouble())];

    private static string?[] Texts(JsonElement array) => [.. array.EnumerateArray().Select(text => text.GetString())];
}
