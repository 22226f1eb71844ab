namespace Fpn.Service.Model;

/// <summary>The models.</summary>
internal static class ModelRegistration
{
    /// <summary>Registers the packages; the folder is looked at when they are first asked for.</summary>
    public static IServiceCollection AddModels(this IServiceCollection services) => services.AddSingleton<IModelPackages, ModelPackages>();
}
