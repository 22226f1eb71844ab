using System.Runtime.InteropServices;
using Fpn.Models.Execution.Devices;

namespace Fpn.Models.Tests.Execution;

/// <summary>Asking for the driver on a machine without one; the benchmark on a GPU covers the other case.</summary>
public sealed class CudaDriverTests
{
    [Fact]
    public void List_NoDriver_SaysSo()
    {
        var found = CudaDriver.List("libfpn-no-such-driver.so.1");

        Assert.Empty(found.Gpus);
        Assert.Equal("there is no NVIDIA driver: libfpn-no-such-driver.so.1 cannot be loaded", found.Failure);
    }

    [Fact]
    public void List_AnotherLibrary_SaysWhatItLacks()
    {
        var found = CudaDriver.List("libc.so.6");

        Assert.Empty(found.Gpus);
        Assert.StartsWith("libc.so.6 is not an NVIDIA driver's: ", found.Failure, StringComparison.Ordinal);
        Assert.Contains("cuInit", found.Failure, StringComparison.Ordinal);
    }

    [Fact]
    public void Probe_NoGpu_HasAReasonForPeople()
    {
        Assert.SkipWhen(NativeLibrary.TryLoad(CudaDriver.Library, out _), "There is an NVIDIA driver here.");

        Assert.Equal(
            $"there is no NVIDIA driver: {CudaDriver.Library} cannot be loaded", CudaProvider.Probe().Failure);
    }
}
