using Fpn.Models.Loading;
using Fpn.Models.Options;
using Fpn.Settings;

namespace Fpn.Service.Engine;

/// <summary>Model packages and the devices that they run on.</summary>
internal static class ModelRegistration
{
    /// <summary>Registers the packages; their folder is read at the first use.</summary>
    public static IServiceCollection AddModels(this IServiceCollection services, SettingsCatalogue settings)
    {
        settings.Add<ModelOptions>("Models");
        settings.Add<ExecutionOptions>("Execution");
        settings.Add<CudaOptions>("Cuda");
        return services.AddSingleton<IModelPackages>(provider => new ModelPackages(
            provider.GetRequiredService<ModelOptions>(),
            provider.GetRequiredService<ExecutionOptions>(),
            provider.GetRequiredService<CudaOptions>(),
            provider.GetRequiredService<IHostEnvironment>().ContentRootPath,
            provider.GetRequiredService<ILogger<ModelPackages>>()));
    }
}
