using Fpn.Models.Execution.Devices;
using Fpn.Models.Options;

namespace Fpn.Models.Tests.Execution;

public sealed class ProviderSelectionTests
{
    private const string Missing = "libcublasLt.so.13: cannot open shared object file";

    [Fact]
    public void Choose_Cpu_DoesNotLookForCuda()
    {
        var selection = ProviderSelection.Choose(
            ExecutionProvider.Cpu, deviceId: 0, () => throw new InvalidOperationException("looked for CUDA"));

        Assert.Equal(ExecutionProvider.Cpu, selection.Provider);
        Assert.Equal("setting 'Fpn:Execution:Provider' is 'cpu'", selection.Reason);
    }

    [Fact]
    public void Choose_AutoWithCuda_TakesIt()
    {
        var selection = ProviderSelection.Choose(ExecutionProvider.Auto, deviceId: 1, () => (2, null));

        Assert.Equal(ExecutionProvider.Cuda, selection.Provider);
        Assert.Equal("the CUDA provider is there and works", selection.Reason);
    }

    [Fact]
    public void Choose_AutoWithoutCuda_TakesTheCpuAndSaysWhy()
    {
        var selection = ProviderSelection.Choose(ExecutionProvider.Auto, deviceId: 0, () => (0, Missing));

        Assert.Equal(ExecutionProvider.Cpu, selection.Provider);
        Assert.Equal(Missing, selection.Reason);
    }

    [Fact]
    public void Choose_AutoWithAGpuThatFailsItsTrial_TakesTheCpuAndSaysWhy()
    {
        var selection = ProviderSelection.Choose(ExecutionProvider.Auto, deviceId: 0, () => (1, "a trial failed"));

        Assert.Equal(ExecutionProvider.Cpu, selection.Provider);
        Assert.Equal("a trial failed", selection.Reason);
    }

    [Fact]
    public void Choose_CudaWithCuda_TakesIt()
    {
        var selection = ProviderSelection.Choose(ExecutionProvider.Cuda, deviceId: 0, () => (1, null));

        Assert.Equal(ExecutionProvider.Cuda, selection.Provider);
        Assert.Equal("setting 'Fpn:Execution:Provider' is 'cuda'", selection.Reason);
    }

    [Fact]
    public void Choose_CudaWithoutCuda_RefusesAndSaysWhy()
    {
        var refusal = Assert.Throws<InvalidOptionException>(
            () => ProviderSelection.Choose(ExecutionProvider.Cuda, deviceId: 0, () => (0, Missing)));

        Assert.Equal(
            $"Setting 'Fpn:Execution:Provider' is 'cuda', but {Missing}. With 'auto' the service would run on the CPU.",
            refusal.Message);
    }

    [Theory]
    [InlineData(ExecutionProvider.Auto, 1, "Setting 'Fpn:Cuda:DeviceId' is 1, but there is 1 GPU, counted from 0.")]
    [InlineData(ExecutionProvider.Cuda, 2, "Setting 'Fpn:Cuda:DeviceId' is 2, but there are 2 GPUs, counted from 0.")]
    public void Choose_AGpuThatDoesNotExist_RefusesEvenWhenTheCpuWouldDo(
        object wanted, int deviceId, string expected)
    {
        var refusal = Assert.Throws<InvalidOptionException>(
            () => ProviderSelection.Choose((ExecutionProvider)wanted, deviceId, () => (deviceId, null)));

        Assert.Equal(expected, refusal.Message);
    }
}
