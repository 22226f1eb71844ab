using Fpn.Testing.Running;

namespace Fpn.Models.Tests;

/// <summary>ONNX Runtime reports its use unless that is switched off, which the service does.</summary>
public sealed class TelemetryTests
{
    /// <summary>Reporting begins with a log in the temporary folder and a device id in the home folder.</summary>
    [Fact]
    public async Task Start_WithModels_LeavesNothingInHomeAndTemporaryFolder()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "setenv is absent on Windows");
        var folder = Directory.CreateTempSubdirectory("fpn-home-").FullName;
        try
        {
            // Under CI ONNX Runtime keeps silent by itself; without diagnostics .NET opens no socket there.
            using var process = new ServiceProcess(
                [$"--Fpn:Models:Path={Checkout.BloodCells}", "--Fpn:Batching:MaxBatchSize=1"],
                ("TMPDIR", folder), ("HOME", folder), ("CI", string.Empty), ("DOTNET_EnableDiagnostics", "0"));
            await process.WaitForAddressAsync();
            process.SendTerminate();
            Assert.Equal(0, (await process.WaitForExitAsync()).Code);
            Assert.Empty(Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
