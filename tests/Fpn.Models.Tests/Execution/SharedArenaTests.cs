using Fpn.Models.Execution.Devices;
using Fpn.Models.Options;
using Microsoft.ML.OnnxRuntime;

namespace Fpn.Models.Tests.Execution;

/// <summary>What the C API behind the pool refuses, as far as a CPU can show.</summary>
public sealed class SharedArenaTests
{
    [Fact]
    public void Register_AProviderThatThereIsNot_IsRefusedWithItsWords()
    {
        _ = ExecutionDevice.Open(new ExecutionOptions { Provider = ExecutionProvider.Cpu }, new CudaOptions());
        using var memory = new OrtMemoryInfo("Cuda", OrtAllocatorType.DeviceAllocator, 0, OrtMemType.Default);

        var refusal = Assert.Throws<ModelFailureException>(
            () => SharedArena.Register("NoExecutionProvider", memory, limit: 1L << 33, ArenaStrategy.SameAsRequested));

        Assert.StartsWith("ONNX Runtime refuses a shared memory pool: ", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("NoExecutionProvider", refusal.Message, StringComparison.Ordinal);
    }

    /// <summary>What ONNX Runtime makes of the names: on another device's memory nothing would be shared.</summary>
    [Theory]
    [InlineData("Cuda", OrtDeviceMemoryType.DEFAULT)]
    [InlineData("CudaPinned", OrtDeviceMemoryType.HOST_ACCESSIBLE)]
    public void MemoryInfo_OfAGpu_IsWhatTheProviderUses(string name, object type)
    {
        using var memory = new OrtMemoryInfo(name, OrtAllocatorType.DeviceAllocator, 3, OrtMemType.Default);

        Assert.Equal(type, memory.GetDeviceMemoryType());
        Assert.Equal(OrtMemoryInfoDeviceType.GPU, memory.GetDeviceType());
        Assert.Equal((3, 0x10DEu), (memory.Id, memory.GetVendorId()));
    }
}
