using Fpn.Models.Execution.Devices;
using Fpn.Models.Execution.Sessions;

namespace Fpn.Models.Tests.Execution;

/// <summary>Which failures of a run cost the session.</summary>
public sealed class OnnxGraphTests
{
    [Theory]
    [InlineData("CUDA failure 700: an illegal memory access was encountered ; GPU=0 ; hostname=a ; "
        + "expr=cudaStreamSynchronize(stream)")]
    [InlineData("CUDNN failure 4: CUDNN_STATUS_INTERNAL_ERROR ; GPU=0")]
    [InlineData("CUBLAS failure 13: the function failed to launch on the GPU ; GPU=0")]
    public void Failure_OfTheDevice_IsADeviceLost(string message)
    {
        var failure = OnnxGraph.Failure("backbone.onnx", new InvalidOperationException(message));
        Assert.IsType<DeviceLostException>(failure);
        Assert.Contains("backbone.onnx", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("CUDA failure 2: out of memory ; GPU=0 ; hostname=a ; expr=cudaMalloc((void**)&p, size);")]
    [InlineData("CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0 ; hostname=a ; "
        + "expr=cublasCreate(&cublas_handle_);")]
    [InlineData("Available memory of 0 is smaller than requested bytes of 4096")]
    public void Failure_ForLackOfMemory_IsAModelFailure(string message) =>
        Assert.IsType<ModelFailureException>(
            OnnxGraph.Failure("backbone.onnx", new InvalidOperationException(message)));

    [Fact]
    public void Failure_OfANode_IsAModelFailure() =>
        Assert.IsType<ModelFailureException>(OnnxGraph.Failure(
            "head.onnx",
            new InvalidOperationException("Non-zero status code returned while running Reshape node.")));
}
