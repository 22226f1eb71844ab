using System.Globalization;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Options;

namespace Fpn.Models.Tests.Execution;

public sealed class ExecutionDeviceTests
{
    [Fact]
    public void Open_Cpu_IsTheCpuWithItsThreads()
    {
        var device = ExecutionDevice.Open(Wanting(ExecutionProvider.Cpu), new CudaOptions());

        Assert.Equal(ExecutionProvider.Cpu, device.Description.Provider);
        Assert.False(device.Description.IsGpu);
        Assert.Equal("cpu", device.Description.ProviderName);
        Assert.Equal(1, device.Description.Streams);
        Assert.Equal(
            string.Create(CultureInfo.InvariantCulture, $"CPU, {Environment.ProcessorCount} threads"),
            device.Description.Name);
    }

    [Fact]
    public void Open_FusingWithChannelsFirst_IsRefusedWhateverItRunsOn() => Assert.Throws<InvalidOptionException>(
        () => ExecutionDevice.Open(
            Wanting(ExecutionProvider.Cpu), new CudaOptions { PreferNhwc = false, FuseConvBias = true }));

    [Fact]
    public void Run_TrialOnTheCpu_Succeeds()
    {
        var device = ExecutionDevice.Open(Wanting(ExecutionProvider.Cpu), new CudaOptions());
        using var session = TrialGraph.Load(device);

        TrialGraph.Run(session, device);
    }

    [Fact]
    public void Allocate_MoreThanOnePieceMayHave_SaysSo()
    {
        var device = ExecutionDevice.Open(Wanting(ExecutionProvider.Cpu), new CudaOptions());

        var failure = Assert.Throws<ModelFailureException>(() => device.Allocate(1L << 32));

        Assert.Equal(
            "A tensor of 4294967296 bytes is more than one piece of memory may have, 4 GiB.", failure.Message);
    }

    [Fact]
    public void Rent_AgainAfterDispose_GivesTheSameMemory()
    {
        var pool = new HostMemoryPool(ExecutionDevice.Open(Wanting(ExecutionProvider.Cpu), new CudaOptions()));
        var memory = pool.Rent(1000);
        var first = memory.Address;
        using var other = pool.Rent(1000);
        Assert.NotEqual(first, other.Address);
        Assert.InRange(memory.Length, 1000, 1250);

        memory.Dispose();
        Assert.Throws<ObjectDisposedException>(() => memory.Address);
        using var again = pool.Rent(1000);
        Assert.Equal(first, again.Address);
    }

    [Fact]
    public void FreeIdle_BuffersThatCameBack_AreGivenUpAndThoseInUseAreNot()
    {
        var pool = new HostMemoryPool(ExecutionDevice.Open(Wanting(ExecutionProvider.Cpu), new CudaOptions()));
        using var used = pool.Rent(5000);
        pool.Rent(1 << 20).Dispose();
        pool.Rent(3000).Dispose();
        Assert.InRange(pool.IdleBytes, (1 << 20) + 3000, 1.25 * ((1 << 20) + 3000));

        pool.FreeIdle();

        Assert.Equal(0, pool.IdleBytes);
        used.Dispose();
        Assert.InRange(pool.IdleBytes, 5000, 6250);
    }

    private static ExecutionOptions Wanting(ExecutionProvider provider) => new() { Provider = provider };
}
