using Fpn.Serving.Lanes;
using Fpn.Serving.Pipeline;
using Fpn.Serving.Sizing;
using Fpn.Serving.Telemetry;
using Fpn.Settings;

namespace Fpn.Service.Engine;

/// <summary>The batching queue, from encoded bytes to detections.</summary>
internal static class BatchingRegistration
{
    /// <summary>Registers the pipeline and the lanes of the models.</summary>
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
