namespace Fpn.Service.Model;

/// <summary>The models.</summary>
internal static class ModelRegistration
{
    /// <summary>Registers the catalog; it is filled when it is first asked for, which <c>Program</c> does before it listens.</summary>
    public static IServiceCollection AddModels(this IServiceCollection services) => services.AddSingleton<ModelCatalog>();
}
