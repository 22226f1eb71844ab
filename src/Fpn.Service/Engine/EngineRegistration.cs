using Fpn.Imaging.Decoding;
using Fpn.Imaging.Painting;
using Fpn.Models.Loading;
using Fpn.Models.Options;
using Fpn.Serving;
using Fpn.Serving.Sizing;
using Fpn.Settings;

namespace Fpn.Service.Engine;

/// <summary>The detection engine, from encoded bytes to detections: imaging, models and the batching queue.</summary>
internal static class EngineRegistration
{
    /// <summary>Registers the engine; <see cref="LoadEngineAsync"/> must be awaited before the port opens.</summary>
    public static WebApplicationBuilder AddEngine(this WebApplicationBuilder builder, SettingsCatalogue settings)
    {
        var limits = settings.Add<LimitsOptions>("Limits");
        var models = settings.Add<ModelOptions>("Models");
        var execution = settings.Add<ExecutionOptions>("Execution");
        builder.Services.AddImaging(settings).AddFpnDetection(options =>
        {
            options.ModelsFolder = models.Path;
            options.ModelName = models.Name;
            options.DefaultModel = models.Default;
            options.ModelVersions = models.Versions;
            options.ModelPoll = models.Poll;
            options.Provider = execution.Provider;
            options.Threads = execution.Threads;
            options.Cuda = settings.Add<CudaOptions>("Cuda");
            options.Batching = settings.Add<BatchingOptions>("Batching");
            options.MaxImagePixels = limits.MaxImagePixels;
            options.MaxDecodedBytes = limits.MaxDecodedBytes;
            options.MaxViews = limits.MaxViews;
            options.MaxViewPixels = limits.MaxViewPixels;
        });
        return builder;
    }

    /// <summary>
    /// Loads libraries and models and warms the models: what cannot be loaded stops the start with its reason.
    /// </summary>
    public static Task LoadEngineAsync(this WebApplication app)
    {
        app.Services.GetRequiredService<ImageDecoder>();
        app.Services.GetRequiredService<DetectionPainter>();
        return app.Services.GetRequiredService<DetectionStartup>().LoadAsync();
    }
}
