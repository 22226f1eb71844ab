using Fpn.Serving.Lanes;
using Fpn.Serving.Pipeline;
using Fpn.Serving.Sizing;
using Fpn.Serving.Telemetry;
using Fpn.Settings;

namespace Fpn.Service.Engine;

/// <summary>From bytes to detections.</summary>
internal static class BatchingRegistration
{
    /// <summary>Registers the pipeline; <see cref="LaneRegistry.StartAsync"/> must be awaited before the port opens.</summary>
    public static IServiceCollection AddBatching(this IServiceCollection services, SettingsCatalogue settings)
    {
        settings.Add<BatchingOptions>("Batching");
        return services
            .AddSingleton(TimeProvider.System)
            .AddSingleton<DetectionMetrics>()
            .AddSingleton<LaneGauges>()
            .AddSingleton<LaneRegistry>()
            .AddSingleton(provider => new ByteBudget(provider.GetRequiredService<LimitsOptions>().MaxDecodedBytes))
            .AddSingleton<DecoderSlots>()
            .AddSingleton<DetectionPipeline>()
            .AddSingleton<PaintingPipeline>();
    }
}
