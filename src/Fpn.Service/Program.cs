using Fpn.Imaging.Codecs;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Painting;
using Fpn.Models.Loading;
using Fpn.Models.Options;
using Fpn.Service.Bodies;
using Fpn.Service.Detect;
using Fpn.Service.Engine;
using Fpn.Service.Explorer;
using Fpn.Service.Lifetime;
using Fpn.Service.Observability;
using Fpn.Service.OpenApi;
using Fpn.Service.OpenInference;
using Fpn.Service.Problems;
using Fpn.Service.Repository;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;
using Fpn.Serving.Sizing;
using Fpn.Settings;
using Fpn.Tool.Commands;

if (await ToolCommands.RunAsync(args) is { } status)
{
    return status;
}

if (CommandLine.Fault(args) is { } fault)
{
    await Console.Error.WriteLineAsync(fault);
    return CommandLine.WrongUsage;
}

var started = false;
try
{
    var builder = WebApplication.CreateBuilder(args);
    var (connections, telemetry) = (new ConnectionOptions(), new TelemetryOptions());
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
        ("Connections", connections),
        ("Telemetry", telemetry));
    LogLevels.Require(builder.Configuration);
    FileDescriptors.Require(connections.Max);
    await AddressTrial.RunAsync(builder.Configuration);
    builder.AddObservability(telemetry);
    builder.AddSecurity();
    builder.Services
        .AddImaging()
        .AddModels()
        .AddBatching()
        .AddLifetime()
        .AddProblems()
        .AddBodies()
        .AddDetect()
        .AddRepository()
        .AddOpenInference()
        .AddOpenApiDocument()
        .AddExplorer();

    await using var app = builder.Build();
    app.UseTrustedProxies();
    app.UseRequestIds();
    app.UseDrain();
    app.UseUnreadBodies();
    app.UseRequestLog();
    app.UseSecurityHeaders();
    app.UseProblems();
    app.UseEndpointRouting();
    app.UseCrossOrigin();
    app.UseKeys();
    app.UseOpenApiDocument();
    app.MapHealth();
    app.MapMetrics();
    app.MapDetect();
    app.MapRepository();
    app.MapOpenInference();
    app.MapExplorer();

    // Before the port opens: a library or a model that cannot be loaded stops the start with its reason, and the rest are warm.
    app.Services.GetRequiredService<ImageDecoder>();
    app.Services.GetRequiredService<DetectionPainter>();
    await app.Services.GetRequiredService<LaneRegistry>().StartAsync();
    await app.StartAsync();
    started = true;
    await app.WaitForShutdownAsync();
    return 0;
}
#pragma warning disable CA1031 // Whatever it is, a person reads it: one line, and no dump.
catch (Exception exception) when (!started)
#pragma warning restore CA1031
{
    await Console.Error.WriteLineAsync($"Fpn.Service cannot start: {StartFailure.Reason(exception)}");
    return 1;
}
