using System.Globalization;
using Fpn.Testing.Running;
using Microsoft.Extensions.DependencyInjection;

namespace Fpn.Service.Tests.OpenInferenceGrpc;

/// <summary>A real service with a port for gRPC, and calls to it.</summary>
internal sealed class GrpcCalls : GrpcClient
{
    /// <summary>Starts the service.</summary>
    public GrpcCalls(params (string Name, string Value)[] settings)
        : this(_ => { }, settings)
    {
    }

    /// <summary>Starts the service with some of its own objects changed.</summary>
    public GrpcCalls(Action<IServiceCollection> configure, params (string Name, string Value)[] settings)
        : this(FreePort.Find().ToString(CultureInfo.InvariantCulture), configure, settings)
    {
    }

    private GrpcCalls(string port, Action<IServiceCollection> configure, (string Name, string Value)[] settings)
        : base(new Uri($"http://127.0.0.1:{port}")) =>
        Service = new RunningService(configure, [("Fpn:Grpc:Port", port), .. settings]);

    /// <summary>The service.</summary>
    public RunningService Service { get; }

    public override void Dispose()
    {
        base.Dispose();
        Service.Dispose();
    }
}
