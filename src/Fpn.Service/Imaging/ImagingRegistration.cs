using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Fpn.Service.Imaging;

/// <summary>Registers what the room offers.</summary>
internal static class ImagingRegistration
{
    /// <summary>Adds the one <see cref="ImageDecoder"/> of the process.</summary>
    /// <param name="services">The service's registrations.</param>
    /// <param name="maxImagePixels">Reads the pixel limit when the decoder is made.</param>
    /// <returns><paramref name="services"/>.</returns>
    internal static IServiceCollection AddImaging(this IServiceCollection services, Func<IServiceProvider, long> maxImagePixels)
    {
        services.TryAddSingleton(provider => new ImageDecoder(maxImagePixels(provider)));
        return services;
    }
}
