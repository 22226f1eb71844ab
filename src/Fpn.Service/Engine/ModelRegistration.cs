using Fpn.Models.Loading;
using Fpn.Models.Options;
using Fpn.Settings;

namespace Fpn.Service.Engine;

/// <summary>The models.</summary>
internal static class ModelRegistration
{
    /// <summary>Registers the packages; the folder is looked at when they are first asked for.</summary>
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
