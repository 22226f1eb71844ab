using System.Security.Cryptography;
using Fpn.Detection.Geometry;
using Fpn.Models.Detectors;
using Fpn.Models.EndToEnd;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Fpn.Testing.Goldens;
using Fpn.Testing.Images;

namespace Fpn.Models.Tests;

/// <summary>The one-file layout around a graph that leaves resizing to the service, as the ONNX zoo's does.</summary>
public sealed class EndToEndDetectorTests : IDisposable
{
    private readonly string _package = Directory.CreateTempSubdirectory("fpn-end-to-end-").FullName;

    public void Dispose() => Directory.Delete(_package, recursive: true);

    [Fact]
    public void Select_BoxesOfTheResizedImage_AreScaledBackClippedAndSorted()
    {
        var graph = File.ReadAllBytes(GoldenFolder.At("end-to-end", "constant.onnx"));
        File.WriteAllBytes(Path.Combine(_package, "model.onnx"), graph);
        File.WriteAllText(Path.Combine(_package, "model.json"), $$"""
            {
              "name": "{{Path.GetFileName(_package)}}", "version": "1", "layout": "end-to-end",
              "files": {
                "model": { "path": "model.onnx", "sha256": "{{Convert.ToHexStringLower(SHA256.HashData(graph))}}" }
              },
              "input": {
                "minSize": 384, "maxSize": 640, "colorOrder": "bgr", "scale": 1,
                "mean": [102.9801, 115.9465, 122.7717], "std": [1, 1, 1]
              },
              "endToEnd": {
                "input": "image", "rank": 3, "resizeInside": false, "boxSpace": "resized",
                "boxes": "6379", "labels": "6381", "scores": "6383"
              },
              "labels": ["one", "two", "three"]
            }
            """);
        using var detector = new EndToEndDetector(
            ModelManifestReader.ReadAlone(_package), ExecutionDevice.Open(new ExecutionOptions(), new CudaOptions()));
        using var image = Pictures.Decoded(640, 480);

        // 480 x 640 shrinks to 384 x 512, so the way back is a factor of 1.25.
        var measured = new MeasuredImage(image, detector);
        Assert.Equal(new ImageSize(384, 512), measured.Geometry.Resized);
        using var prepared = detector.Prepare(measured.Geometry.Padded, [measured]);
        using var inferred = detector.Infer(prepared);

        // (500, 300, 700, 420) leaves the image; the third, 0.04, is below the threshold.
        Assert.Equal(
            [
                new DetectedObject(new Box(625, 375, 640, 480), 0.9f, 0, Level: null),
                new DetectedObject(new Box(100, 100, 200, 200), 0.5f, 1, Level: null),
            ],
            inferred.Select(0));
        Assert.Equal(-122.7717f, prepared.Tensor.Image<float>(0)[2 * 384 * 512], 3);
    }
}
