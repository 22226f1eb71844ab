using Fpn.Detection.Imaging;
using Fpn.Service.Imaging;

namespace Fpn.Service.Model;

/// <summary>Makes batch tensors of decoded images. Thread-safe.</summary>
/// <param name="options">The model's input rule.</param>
/// <param name="resizeInside">The graph resizes and normalises itself: images keep their size, pixels are scaled only.</param>
internal sealed class Preprocessor(InputOptions options, bool resizeInside = false)
{
    private readonly ResizeTransform _transform = new(options);
    private readonly PixelNormalizer _normalizer = new(resizeInside ? options with { Mean = [0, 0, 0], Std = [1, 1, 1] } : options);

    /// <summary>The sizes that an image goes through.</summary>
    public ImageGeometry Measure(ImageSize original)
    {
        if (resizeInside)
        {
            return new ImageGeometry(original, original, original);
        }

        var resized = _transform.ResizedSize(original);
        return new ImageGeometry(original, resized, _transform.PaddedSize(resized));
    }

    /// <summary>Resizes and normalises images straight into a batch tensor.</summary>
    /// <param name="padded">Size of the tensor; at least the padded size of every image.</param>
    /// <param name="images">The pictures.</param>
    /// <returns>The caller disposes it.</returns>
    public PreparedBatch Prepare(ImageSize padded, IReadOnlyList<DecodedImage> images)
    {
        var geometries = new ImageGeometry[images.Count];
        for (var i = 0; i < images.Count; i++)
        {
            geometries[i] = Measure(images[i].Size);
        }

        var tensor = ImageBatch.Rent(images.Count, padded);
        try
        {
            for (var i = 0; i < images.Count; i++)
            {
                _normalizer.Normalize(images[i].Pixels, geometries[i].Original, geometries[i].Resized, padded, tensor.Image(i));
            }

            return new PreparedBatch(tensor, geometries);
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }
}
