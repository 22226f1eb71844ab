using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;
using Fpn.Imaging.Painting;
using Fpn.Imaging.Pixels;

namespace Fpn.Benchmarks.Gpu;

/// <summary>
/// JPEGs that are drawn here, so that none need travel: discs on a grained ground, about as hard to decode as
/// photographs.
/// </summary>
internal sealed class DrawnPictures
{
    private const int Discs = 40;

    private readonly DetectionPainter _encoder = new(Path.Combine(AppContext.BaseDirectory, "fonts"));

    /// <summary>Draws a picture; the same seed gives the same pixels.</summary>
    public byte[] Draw(ImageSize size, int seed)
    {
        MadeNumbers numbers = new(seed);
        using var image = new DecodedImage(ImageFormat.Jpeg, size, PixelBuffer.Allocate(checked((int)(size.Area * 3))));
        var ground = Color(numbers, 150, 250);
        var pixels = image.WritablePixels;
        for (var i = 0; i < pixels.Length; i++)
        {
            pixels[i] = Byte(ground[i % 3] + numbers.Uniform(-9, 9));
        }

        for (var disc = 0; disc < Discs; disc++)
        {
            DrawDisc(pixels, size, numbers);
        }

        // The encoder of drawn answers, with nothing to draw.
        using var encoded = _encoder.Paint(image, [], PictureEncoding.Jpeg);
        return encoded.Bytes.ToArray();
    }

    /// <summary>Draws pictures of many sizes, both upright and lying.</summary>
    public byte[][] DrawMixed(int count, int shortest, int longest)
    {
        MadeNumbers numbers = new(1);
        ImageSize[] sizes = [.. Enumerable.Range(0, count).Select(_ => new ImageSize(Side(), Side()))];
        return [.. sizes.Index().AsParallel().AsOrdered().Select(entry => Draw(entry.Item, 100 + entry.Index))];

        int Side() => (int)numbers.Uniform(shortest, longest);
    }

    private static void DrawDisc(Span<byte> pixels, ImageSize size, MadeNumbers numbers)
    {
        var radius = numbers.Uniform(0.02f, 0.12f) * Math.Min(size.Height, size.Width);
        var (x, y) = (numbers.Uniform(0, size.Width), numbers.Uniform(0, size.Height));
        var color = Color(numbers, 40, 220);
        for (var row = Math.Max(0, (int)(y - radius)); row < Math.Min(size.Height, y + radius); row++)
        {
            for (var column = Math.Max(0, (int)(x - radius)); column < Math.Min(size.Width, x + radius); column++)
            {
                var distance = ((column - x) * (column - x) + (row - y) * (row - y)) / (radius * radius);
                for (var channel = 0; distance < 1 && channel < 3; channel++)
                {
                    // Darker towards the rim; the ground's grain shows through.
                    var at = 3 * (row * size.Width + column) + channel;
                    pixels[at] = Byte(0.8f * color[channel] * (1.1f - 0.4f * distance) + 0.2f * pixels[at]);
                }
            }
        }
    }

    private static float[] Color(MadeNumbers numbers, float from, float to) =>
        [numbers.Uniform(from, to), numbers.Uniform(from, to), numbers.Uniform(from, to)];

    private static byte Byte(float value) => (byte)Math.Clamp(value, 0, 255);
}
