using Fpn.Imaging.Codecs;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Painting;
using Fpn.Imaging.Vips;
using Fpn.Settings;
#if IMAGESHARP
using Fpn.Imaging.ImageSharp;
#endif

namespace Fpn.Service.Engine;

/// <summary>Pictures: decoding and drawing.</summary>
internal static class ImagingRegistration
{
    /// <summary>
    /// Adds the one <see cref="ImageDecoder"/> of the process, bounded by <see cref="LimitsOptions.MaxImagePixels"/>,
    /// and the one <see cref="DetectionPainter"/>.
    /// </summary>
    public static IServiceCollection AddImaging(this IServiceCollection services, SettingsCatalogue settings)
    {
        var codec = settings.Add<ImagingOptions>("Imaging").Codec;
        return services
            .AddSingleton(provider => Create(provider.GetRequiredService<LimitsOptions>().MaxImagePixels, codec))
            .AddSingleton(_ => CreatePainter());
    }

    private static ImageDecoder Create(long maxPixels, CodecName name)
    {
        try
        {
#if IMAGESHARP
            return name == CodecName.ImageSharp
                ? new ImageDecoder(maxPixels, new ImageSharpCodec(maxPixels))
                : new ImageDecoder(maxPixels, new VipsCodec(), new ImageSharpCodec(maxPixels, ImageFormat.Bmp));
#else
            return name == CodecName.Vips
                ? new ImageDecoder(maxPixels, new VipsCodec())
                : throw new SettingsException("Setting 'Fpn:Imaging:Codec' is imagesharp, which this build was made without.");
#endif
        }
        catch (Exception exception) when (exception is DllNotFoundException or InvalidOperationException)
        {
            throw new SettingsException(
                $"libvips cannot be loaded: {exception.Message.ReplaceLineEndings(" ")} The package NetVips.Native brings "
                + "it for the platform that the service is built for.",
                exception);
        }
    }

    private static DetectionPainter CreatePainter()
    {
        try
        {
            return new DetectionPainter(VipsLibrary.FontFolder);
        }
        catch (Exception exception) when (exception is FileNotFoundException or InvalidOperationException)
        {
            throw new SettingsException(
                $"Pictures cannot be drawn: {exception.Message} The font belongs into the folder 'fonts' beside "
                + "Fpn.Service.dll.",
                exception);
        }
    }
}
