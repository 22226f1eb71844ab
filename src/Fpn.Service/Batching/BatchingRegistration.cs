namespace Fpn.Service.Batching;

/// <summary>From bytes to detections.</summary>
internal static class BatchingRegistration
{
    /// <summary>Registers the pipeline.</summary>
    public static IServiceCollection AddBatching(this IServiceCollection services) => services
        .AddSingleton(TimeProvider.System)
        .AddSingleton<DetectionPipeline>();
}
