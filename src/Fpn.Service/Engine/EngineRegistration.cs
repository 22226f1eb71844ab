using Fpn.Imaging.Decoding;
using Fpn.Imaging.Painting;
using Fpn.Serving.Lanes;
using Fpn.Settings;

namespace Fpn.Service.Engine;

/// <summary>The detection engine, from encoded bytes to detections: imaging, models and the batching queue.</summary>
internal static class EngineRegistration
{
    /// <summary>Registers the engine; <see cref="LoadEngineAsync"/> must be awaited before the port opens.</summary>
    public static WebApplicationBuilder AddEngine(this WebApplicationBuilder builder, SettingsCatalogue settings)
    {
        settings.Add<LimitsOptions>("Limits");
        builder.Services.AddImaging(settings).AddModels(settings).AddBatching(settings);
        return builder;
    }

    /// <summary>
    /// Loads libraries and models and warms the models: what cannot be loaded stops the start with its reason.
    /// </summary>
    public static Task LoadEngineAsync(this WebApplication app)
    {
        app.Services.GetRequiredService<ImageDecoder>();
        app.Services.GetRequiredService<DetectionPainter>();
        return app.Services.GetRequiredService<LaneRegistry>().StartAsync();
    }
}
