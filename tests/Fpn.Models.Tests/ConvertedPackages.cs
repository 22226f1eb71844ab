using Fpn.Models.Detectors;
using Fpn.Serving.Lanes;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;
using Microsoft.Extensions.DependencyInjection;

namespace Fpn.Models.Tests;

/// <summary>
/// One service with a package and what models/export/convert.py makes of it. The package is the committed one, resized
/// on bytes so that every conversion is possible, and with fewer proposals: ONNX Runtime's float16 matrix product is
/// slow on a CPU.
/// </summary>
public sealed class ConvertedPackages : IAsyncLifetime
{
    /// <summary>The package that all others are made from.</summary>
    internal const string Original = "cells";

    /// <summary>float32, but takes bytes and normalizes them.</summary>
    internal const string Bytes = "cells-bytes";

    /// <summary>float32, but takes float16 images.</summary>
    internal const string HalfImages = "cells-half-images";

    /// <summary>float32, but its weights are stored as float16.</summary>
    internal const string HalfWeights = "cells-half-weights";

    /// <summary>Computes in float16.</summary>
    internal const string Half = "cells-half";

    /// <summary>Computes in float16, takes bytes.</summary>
    internal const string HalfBytes = "cells-half-bytes";

    private const string Python = "/usr/bin/python3";

    private static readonly string s_script = Path.Combine(Checkout.Models, "export", "convert.py");

    private static readonly (string Name, string[] Flags)[] s_conversions =
    [
        (Bytes, ["--images", "uint8"]),
        (HalfImages, ["--images", "float16"]),
        (HalfWeights, ["--storage", "float16"]),
        (Half, ["--precision", "float16"]),
        (HalfBytes, ["--precision", "float16", "--images", "uint8"]),
    ];

    private readonly ModelFolder _folder = new();
    private string? _absent;
    private RunningService? _service;

    /// <summary>Serves all packages.</summary>
    internal RunningService Service => _service ?? throw new InvalidOperationException("The packages were not made.");

    /// <summary>Skips the test where nothing can convert packages; under CI that is a failure.</summary>
    internal void Require()
    {
        if (_absent is { } reason)
        {
            Assert.False(Environment.GetEnvironmentVariable("CI") == "true", reason);
            Assert.Skip(reason);
        }
    }

    /// <summary>The detector of a package, as the service has loaded it.</summary>
    internal IDetector Detector(string package) => Service.Services.GetRequiredService<LaneRegistry>().Lanes
        .Single(lane => lane.Model.Contract.Name == package).Model.Detector;

    /// <summary>A file of a package.</summary>
    internal string PathOf(string package, string file) => Path.Combine(_folder.Path, package, file);

    /// <summary>Runs the Python that converts.</summary>
    internal static Task<(int ExitCode, string Output, string Errors)> RunPythonAsync(params string[] arguments) =>
        ProgramRun.RunAsync(Checkout.Root, Python, arguments);

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Python) || (await RunPythonAsync("-c", "import numpy, onnx")).ExitCode != 0)
        {
            _absent = "python3-torch is absent (with python3-numpy and python3-onnx): nothing converts the packages.";
            return;
        }

        var original = _folder.Add(Original, text => ModelFolder.Edit(
            ModelFolder.Edit(text, "\"minSize\": 384", "\"resize\": \"bilinear-antialias\", \"minSize\": 384"),
            "\"postNmsTopN\": 1000",
            "\"postNmsTopN\": 200"));
        foreach (var (name, flags) in s_conversions)
        {
            var (exitCode, output, errors) =
                await RunPythonAsync([s_script, original, Path.Combine(_folder.Path, name), .. flags]);
            Assert.True(exitCode == 0, $"{output}{errors}");
        }

        _service = new RunningService(
            ("Fpn:Models:Path", _folder.Path), ("Fpn:Models:Default", Original), ("Fpn:Batching:MaxBatchSize", "4"));
    }

    public ValueTask DisposeAsync()
    {
        _service?.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }
}
