using System.Diagnostics;
using Fpn.Testing.Goldens;
using Fpn.Testing.Running;

namespace Fpn.Golden.Tests;

/// <summary>
/// Packages of every supported architecture, made by tests/Golden/architectures.py with the reference's answers, and
/// one
/// service that serves them all. They are too large to commit, so the script runs once for the tests of this fixture.
/// </summary>
public sealed class ArchitectureFixture : IAsyncLifetime
{
    /// <summary>Name of the float16 twin of blood-cells.</summary>
    internal const string HalfPackage = "blood-cells-half";

    private const string Python = "/usr/bin/python3";

    private readonly string _packages = Directory.CreateTempSubdirectory("fpn-architectures-").FullName;
    private RunningService? _service;

    /// <summary>Serves all packages.</summary>
    internal RunningService Service => _service ?? throw new InvalidOperationException("The packages were not made.");

    /// <summary>Why there are no packages, if there are none.</summary>
    internal string? Absent { get; private set; }

    /// <summary>A file of a case.</summary>
    internal string PathOf(string architecture, string file) => Path.Combine(_packages, architecture, file);

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Python) || (await RunAsync("-c", "import torchvision, onnx, PIL")).ExitCode != 0)
        {
            Absent = "python3-torch is absent (with python3-torchvision, python3-onnx and python3-pil): nothing "
                + "makes the packages.";
            return;
        }

        var (exitCode, output) = await RunAsync(GoldenFolder.At("architectures.py"), "--out", _packages);
        Assert.True(exitCode == 0, output);
        (exitCode, output) = await RunAsync(
            GoldenFolder.At("half_package.py"), Path.Combine(Checkout.Models, "blood-cells"), Path.Combine(
                _packages, HalfPackage));
        Assert.True(exitCode == 0, output);
        _service = new RunningService(
            ("Fpn:Models:Path", _packages), ("Fpn:Models:Default", "resnet50-fpn"));
    }

    public ValueTask DisposeAsync()
    {
        _service?.Dispose();
        Directory.Delete(_packages, recursive: true);
        return ValueTask.CompletedTask;
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(
            Python, arguments)
        { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{Python} did not start.");
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, $"{await output}{await errors}");
    }
}
