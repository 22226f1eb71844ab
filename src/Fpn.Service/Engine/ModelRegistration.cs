using Fpn.Models.Loading;
using Fpn.Models.Options;

namespace Fpn.Service.Engine;

/// <summary>The models.</summary>
internal static class ModelRegistration
{
    /// <summary>Registers the packages; the folder is looked at when they are first asked for.</summary>
    public static IServiceCollection AddModels(this IServiceCollection services) => services.AddSingleton<IModelPackages>(provider =>
        new ModelPackages(
            provider.GetRequiredService<ModelOptions>(),
            provider.GetRequiredService<ExecutionOptions>(),
            provider.GetRequiredService<CudaOptions>(),
            provider.GetRequiredService<IHostEnvironment>().ContentRootPath,
            provider.GetRequiredService<ILogger<ModelPackages>>()));
}
