namespace Fpn.Service.Tests.OpenInferenceGrpc;

/// <summary>One service with blood-cells, HTTP and gRPC, for the tests of a class.</summary>
public sealed class GrpcServiceFixture : IDisposable
{
    /// <summary>The service.</summary>
    internal GrpcCalls Calls { get; } = new();

    public void Dispose() => Calls.Dispose();
}
