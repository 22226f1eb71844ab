using Fpn.Service.Security;
using Fpn.Settings;
using Grpc.Health.V1;
using Grpc.Reflection;
using Grpc.Reflection.V1Alpha;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using ServiceDescriptor = Google.Protobuf.Reflection.ServiceDescriptor;

namespace Fpn.Service.GrpcPort;

/// <summary>gRPC on a port of its own: addresses, the door, health, reflection.</summary>
internal static class GrpcRegistration
{
    /// <summary>Registers gRPC and adds its port to the addresses, if the settings name one.</summary>
    public static WebApplicationBuilder AddGrpcPort(this WebApplicationBuilder builder, SettingsCatalogue settings)
    {
        var options = settings.Add<GrpcOptions>("Grpc");
        if (options.Port == 0)
        {
            return builder;
        }

        GrpcAddresses.Add(builder.Configuration, options.Port);
        builder.Services
            .Configure<KestrelServerOptions>(kestrel => GrpcAddresses.SpeakHttp2(kestrel, options.Port))
            .AddSingleton<HealthService>()
            .AddSingleton(provider => new ReflectionServiceImpl(
                [
                    .. provider.GetServices<ServiceDescriptor>(), Health.Descriptor, ServerReflection.Descriptor,
                ]))
            .AddGrpc(grpc =>
            {
                // Compressed messages are refused, as compressed bodies are: images are compressed already.
                grpc.CompressionProviders.Clear();
                grpc.IgnoreUnknownServices = true;
                grpc.MaxReceiveMessageSize = MessageLimit.Small;
            });
        return builder;
    }

    /// <summary>Keeps gRPC and HTTP to their own ports, also where no setting names one for HTTP.</summary>
    public static WebApplication UseGrpcDoor(this WebApplication app)
    {
        if (app.IsGrpcOn())
        {
            GrpcAddresses.AddToDefault(app, app.Services.GetRequiredService<GrpcOptions>().Port);
            app.UseMiddleware<GrpcDoor>();
        }

        return app;
    }

    /// <summary>Maps health and reflection.</summary>
    public static WebApplication MapGrpcPort(this WebApplication app)
    {
        if (app.IsGrpcOn())
        {
            // As /health and the OpenAPI document, which need no key either.
            app.MapGrpcService<HealthService>().AllowWithoutKey();
            app.MapGrpcService<ReflectionServiceImpl>().AllowWithoutKey();
        }

        return app;
    }

    /// <summary>Whether there is a port for gRPC.</summary>
    public static bool IsGrpcOn(this WebApplication app) => app.Services.GetRequiredService<GrpcOptions>().Port != 0;
}
