using Fpn.Service.Compatibility.SageMaker;

namespace Fpn.Service.Tests.Compatibility;

/// <summary>A lack of memory, after which SageMaker unloads another model, as each reports it.</summary>
public sealed class MemoryShortageTests
{
    [Theory]
    [InlineData("Exception of type 'System.OutOfMemoryException' was thrown.", true)]
    [InlineData("onnxruntime: Failed to allocate memory for requested buffer of size 8589934592", true)]
    [InlineData("Available memory of 100 is smaller than requested bytes of 200", true)]
    [InlineData("CUDA failure 2: out of memory", true)]
    [InlineData("std::bad_alloc", true)]
    [InlineData("model.json: key 'version' must be a text", false)]
    public void IsReason_Failure_IsALackOfMemory(string failure, bool expected) =>
        Assert.Equal(expected, MemoryShortage.IsReason(failure));
}
