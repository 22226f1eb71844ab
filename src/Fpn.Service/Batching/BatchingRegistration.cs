using Fpn.Service.Api;
using Fpn.Service.Model;

namespace Fpn.Service.Batching;

/// <summary>From bytes to detections.</summary>
internal static class BatchingRegistration
{
    /// <summary>Registers the pipeline; <see cref="LaneRegistry.StartAsync"/> must be awaited before the port opens.</summary>
    public static IServiceCollection AddBatching(this IServiceCollection services) => services
        .AddSingleton(TimeProvider.System)
        .AddSingleton<DetectionMetrics>()
        .AddSingleton(provider => ActivatorUtilities.CreateInstance<LaneRegistry>(provider, provider.GetRequiredService<ModelCatalog>().Models))
        .AddSingleton(provider => new ByteBudget(provider.GetRequiredService<LimitsOptions>().MaxDecodedBytes))
        .AddSingleton<DetectionPipeline>();
}
