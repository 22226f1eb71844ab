using Fpn.Service.Api;
using Fpn.Service.Api.OpenInference;
using Fpn.Service.Api.Security;
using Fpn.Service.Batching;
using Fpn.Service.Configuration;
using Fpn.Service.Explorer;
using Fpn.Service.Imaging;
using Fpn.Service.Inspection;
using Fpn.Service.Lifetime;
using Fpn.Service.Model;
using Fpn.Service.Model.Execution;
using Fpn.Service.Observability;
using Fpn.Service.OpenApi;
using Microsoft.AspNetCore.Connections;

if (args is [HealthProbe.Command, .. var options])
{
    return await HealthProbe.RunAsync(options);
}

if (args is [InspectCommand.Command, .. var inspected])
{
    return await InspectCommand.RunAsync(inspected, Console.Out, Console.Error);
}

try
{
    var builder = WebApplication.CreateBuilder(args);
    var telemetry = new TelemetryOptions();
    builder.Services.AddSettings(
        builder.Configuration,
        ("Limits", new LimitsOptions()),
        ("Imaging", new ImagingOptions()),
        ("Batching", new BatchingOptions()),
        ("Shutdown", new ShutdownOptions()),
        ("Execution", new ExecutionOptions()),
        ("Cuda", new CudaOptions()),
        ("Models", new ModelOptions()),
        ("Control", new ControlOptions()),
        ("Keys", new KeyOptions()),
        ("Cors", new CrossOriginOptions()),
        ("Proxies", new ProxyOptions()),
        ("Connections", new ConnectionOptions()),
        ("Telemetry", telemetry));
    builder.AddObservability(telemetry);
    builder.AddSecurity();
    builder.Services
        .AddImaging()
        .AddModels()
        .AddBatching()
        .AddLifetime()
        .AddApi()
        .AddOpenApiDocument()
        .AddExplorer();

    await using var app = builder.Build();
    app.UseTrustedProxies();
    app.UseRequestIds();
    app.UseDrain();
    app.UseRequestLog();
    app.UseSecurityHeaders();
    app.UseProblems();
    app.UseCrossOrigin();
    app.UseKeys();
    app.UseOpenApiDocument();
    app.MapHealth();
    app.MapMetrics();
    app.MapApi();
    app.MapExplorer();

    // Before the port opens: a library or a model that cannot be loaded stops the start with its reason, and the rest are warm.
    app.Services.GetRequiredService<ImageDecoder>();
    app.Services.GetRequiredService<DetectionPainter>();
    await app.Services.GetRequiredService<LaneRegistry>().StartAsync();
    await app.RunAsync();
    return 0;
}
catch (SettingsException exception)
{
    await Console.Error.WriteLineAsync($"Fpn.Service cannot start: {exception.Message}");
    return 1;
}
catch (Exception exception) when (exception is FormatException or IOException { InnerException: AddressInUseException })
{
    // An address to listen on that is none, or is taken.
    await Console.Error.WriteLineAsync($"Fpn.Service cannot start: {exception.Message}");
    return 1;
}
