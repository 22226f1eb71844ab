using Fpn.Service.Tests.OpenInferenceGrpc;
using Fpn.Testing.Packages;

namespace Fpn.Service.Tests.Repository;

/// <summary>One service with a model in three versions, for the tests of a class: each finds fewer objects than the one
/// before.</summary>
public sealed class VersionedService : IDisposable
{
    /// <summary>The model.</summary>
    internal const string Model = "pets";

    private readonly ModelFolder _models = new();

    public VersionedService()
    {
        _models.AddVersion(Model, "1");
        _models.AddVersion(Model, "2", "0.5");
        _models.AddVersion(Model, "10", "0.9");
        Calls = new GrpcCalls(
            ("Fpn:Models:Path", _models.Path),
            ("Fpn:Models:Default", Model),
            ("Fpn:Batching:MaxBatchSize", "1"),
            ("Fpn:Compatibility:Served", "kserve-v1,roboflow"));
    }

    /// <summary>The service, with a port for gRPC.</summary>
    internal GrpcCalls Calls { get; }

    /// <summary>Calls over HTTP.</summary>
    internal HttpClient Client => Calls.Service.Client;

    public void Dispose()
    {
        Calls.Dispose();
        _models.Dispose();
    }
}
