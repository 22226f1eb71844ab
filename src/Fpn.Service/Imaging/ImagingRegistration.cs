using Fpn.Service.Api;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Fpn.Service.Imaging;

/// <summary>Registers what the room offers.</summary>
internal static class ImagingRegistration
{
    /// <summary>Adds the one <see cref="ImageDecoder"/> of the process, bounded by <see cref="LimitsOptions.MaxImagePixels"/>.</summary>
    /// <param name="services">The service's registrations; <see cref="LimitsOptions"/> must be among them.</param>
    /// <returns><paramref name="services"/>.</returns>
    public static IServiceCollection AddImaging(this IServiceCollection services)
    {
        services.TryAddSingleton(provider => new ImageDecoder(provider.GetRequiredService<LimitsOptions>().MaxImagePixels));
        return services;
    }
}
