using Fpn.Service.GrpcPort;
using Grpc.AspNetCore.Server.Model;

namespace Fpn.Service.OpenInferenceGrpc;

/// <summary>The Open Inference Protocol, version 2, over gRPC (docs/grpc.md).</summary>
internal static class OpenInferenceGrpcRegistration
{
    /// <summary>Registers what the methods need.</summary>
    public static WebApplicationBuilder AddOpenInferenceGrpc(this WebApplicationBuilder builder)
    {
        builder.Services
            .AddSingleton<InferRunner>()
            .AddSingleton<InferStream>()
            .AddSingleton<InferenceService>()
            .AddSingleton(_ => InferenceReflection.Descriptor.Services[0])
            .AddSingleton<IServiceMethodProvider<InferenceService>, InferenceMethods>()
            .AddGrpc()
            // The limit of each method is enforced where its messages are read.
            .AddServiceOptions<InferenceService>(service => service.MaxReceiveMessageSize = null);
        return builder;
    }

    /// <summary>Maps the methods, if there is a port for gRPC.</summary>
    public static WebApplication MapOpenInferenceGrpc(this WebApplication app)
    {
        if (app.IsGrpcOn())
        {
            app.MapGrpcService<InferenceService>();
        }

        return app;
    }
}
