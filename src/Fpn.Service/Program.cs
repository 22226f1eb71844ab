using Fpn.Service.Bodies;
using Fpn.Service.Commands;
using Fpn.Service.Compatibility;
using Fpn.Service.Connections;
using Fpn.Service.Detect;
using Fpn.Service.Engine;
using Fpn.Service.Explorer;
using Fpn.Service.Fetching;
using Fpn.Service.GrpcPort;
using Fpn.Service.Lifetime;
using Fpn.Service.Observability;
using Fpn.Service.OpenApi;
using Fpn.Service.OpenInference;
using Fpn.Service.OpenInferenceGrpc;
using Fpn.Service.Problems;
using Fpn.Service.Repository;
using Fpn.Service.Security;
using Fpn.Service.Stages;
using Fpn.Settings;

return await ServiceCommands.RunAsync(args) ?? await ServiceRun.RunAsync(args, Add, Use);

// Each room adds its services and its sections of settings.
static void Add(WebApplicationBuilder builder, SettingsCatalogue settings) => builder
    .AddPlatforms()
    .AddEngine(settings)
    .AddConnections(settings)
    .AddSecurity(settings)
    .AddLifetime(settings)
    .AddObservability(settings)
    .AddProblems()
    .AddBodies()
    .AddFetching(settings)
    .AddDetect()
    .AddStages()
    .AddRepository(settings)
    .AddOpenInference()
    .AddGrpcPort(settings)
    .AddOpenInferenceGrpc()
    .AddCompatibility(settings)
    .AddOpenApiDocument()
    .AddExplorer();

// The pipeline in the order in which a request passes through it, then the endpoints.
static void Use(WebApplication app) => app
    .UseTrustedProxies()
    .UseRequestIds()
    .UseDrain()
    .UseUnreadBodies()
    .UseRequestLog()
    .UseSecurityHeaders()
    .UseProblems()
    .UseEndpointRouting()
    .UseGrpcDoor()
    .UseCrossOrigin()
    .UseKeys()
    .UseOpenApiDocument()
    .MapHealth()
    .MapMetrics()
    .MapDetect()
    .MapStages()
    .MapRepository()
    .MapOpenInference()
    .MapGrpcPort()
    .MapOpenInferenceGrpc()
    .MapCompatibility()
    .MapExplorer();
