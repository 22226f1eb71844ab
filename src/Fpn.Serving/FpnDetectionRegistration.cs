using Fpn.Imaging.Decoding;
using Fpn.Imaging.Vips;
using Fpn.Models;
using Fpn.Models.Loading;
using Fpn.Models.Options;
using Fpn.Serving.Lanes;
using Fpn.Serving.Pipeline;
using Fpn.Serving.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Fpn.Serving;

/// <summary>Adds object detection to a program's services.</summary>
public static class FpnDetectionRegistration
{
    /// <summary>
    /// Registers <see cref="IDetectionQueue"/>, and a hosted service that loads and warms the models before the host
    /// has started. Both need logging and metrics, which every host has.
    /// </summary>
    /// <param name="services">The program's services.</param>
    /// <param name="configure">Sets the options.</param>
    /// <returns><paramref name="services"/>.</returns>
    /// <exception cref="InvalidOptionException">An option is out of range, or two contradict each other.</exception>
    /// <exception cref="InvalidOperationException">It is registered already: a process has one queue.</exception>
    public static IServiceCollection AddFpnDetection(
        this IServiceCollection services, Action<FpnDetectionOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        if (services.Any(service => service.ServiceType == typeof(IDetectionQueue)))
        {
            throw new InvalidOperationException("AddFpnDetection was called before; call it once.");
        }

        var options = new FpnDetectionOptions();
        configure(options);
        options.Check();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(options.Batching);
        services.TryAddSingleton(_ => CreateDecoder(options));
        services.TryAddSingleton<IModelPackages>(provider => CreatePackages(provider, options));
        services
            .AddSingleton(new ByteBudget(options.MaxDecodedBytes))
            .AddSingleton(new ViewLimits(options.MaxViews, options.MaxViewPixels))
            .AddSingleton(_ => new DecoderSlots(options.Threads))
            .AddSingleton<DetectionMetrics>()
            .AddSingleton<StatisticsCollector>()
            .AddSingleton<LaneRegistry>()
            .AddSingleton<LaneGauges>()
            .AddSingleton<PictureDecoding>()
            .AddSingleton<DetectionPipeline>()
            .AddSingleton<DetectionStartup>()
            // A program gets these two, so here a missing library becomes advice to its programmer.
            .AddSingleton<IDetectionQueue>(provider => NativeLibraries.Require(() => CreateQueue(provider)))
            .AddHostedService(provider => NativeLibraries.Require(provider.GetRequiredService<DetectionStartup>));
        return options.ModelPoll > TimeSpan.Zero
            ? services.AddHostedService(provider => CreatePoll(provider, options.ModelPoll))
            : services;
    }

    private static DetectionQueue CreateQueue(IServiceProvider provider) => new(
        provider.GetRequiredService<DetectionStartup>(),
        provider.GetRequiredService<LaneRegistry>(),
        provider.GetRequiredService<DetectionPipeline>());

    private static PackagePoll CreatePoll(IServiceProvider provider, TimeSpan interval) => new(
        provider.GetRequiredService<DetectionStartup>(),
        provider.GetRequiredService<LaneRegistry>(),
        provider.GetRequiredService<IModelPackages>(),
        interval,
        provider.GetRequiredService<TimeProvider>(),
        provider.GetRequiredService<ILogger<PackagePoll>>());

    private static ImageDecoder CreateDecoder(FpnDetectionOptions options) =>
        new(options.MaxImagePixels, options.Codecs.Count > 0 ? [.. options.Codecs] : [new VipsCodec()]);

    private static ModelPackages CreatePackages(IServiceProvider provider, FpnDetectionOptions options)
    {
        var contentRoot = provider.GetService<IHostEnvironment>()?.ContentRootPath ?? AppContext.BaseDirectory;
        return new ModelPackages(
            new ModelOptions
            {
                Path = options.ModelsFolder,
                Name = options.ModelName,
                Default = options.DefaultModel,
                Versions = options.ModelVersions,
            },
            new ExecutionOptions { Provider = options.Provider, Threads = options.Threads },
            options.Cuda,
            contentRoot,
            provider.GetRequiredService<ILogger<ModelPackages>>());
    }
}
