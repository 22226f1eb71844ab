using System.Globalization;
using System.Text.Json;
using Fpn.Detection.Geometry;

namespace Fpn.Detection.Tests.Preprocessing;

/// <summary>Reads the reference implementations' results; made by <c>Goldens/make_goldens.py</c>.</summary>
internal static class ResamplingGoldens
{
    private static readonly string s_folder = Path.Combine(AppContext.BaseDirectory, "Preprocessing", "Goldens");
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>Reads sizes before and after resizing.</summary>
    internal static List<SizeRow> Sizes() =>
        [.. File.ReadLines(Path.Combine(s_folder, "sizes.csv")).Skip(1).Select(SizeRow.Parse)];

    /// <summary>Reads resampled images.</summary>
    internal static List<ResampledCase> Resampled() =>
        JsonSerializer.Deserialize<List<ResampledCase>>(
            File.ReadAllText(Path.Combine(s_folder, "resampled.json")), s_json)!;

    /// <summary>Makes the source image of a case: byte i is bits 24 … 31 of (i + 1) · 2654435761 modulo 2^32.</summary>
    internal static byte[] Source(ImageSize size)
    {
        var pixels = new byte[size.Area * 3];
        for (var i = 0u; i < pixels.Length; i++)
        {
            pixels[i] = (byte)(unchecked((i + 1) * 2654435761u) >> 24);
        }

        return pixels;
    }

    /// <param name="Original">Old size.</param>
    /// <param name="MinSize">Target of the shorter side.</param>
    /// <param name="MaxSize">Limit of the longer side.</param>
    /// <param name="Torchvision">New size by torchvision.</param>
    /// <param name="Detectron2">New size by detectron2's rule.</param>
    internal sealed record SizeRow(
        ImageSize Original, int MinSize, int MaxSize, ImageSize Torchvision, ImageSize Detectron2)
    {
        internal static SizeRow Parse(string line)
        {
            var values = Array.ConvertAll(line.Split(','), value => int.Parse(value, CultureInfo.InvariantCulture));
            return new(
                new ImageSize(values[0], values[1]),
                values[2],
                values[3],
                new ImageSize(values[4], values[5]),
                new ImageSize(values[6], values[7]));
        }
    }

    /// <param name="Source">[height, width] before.</param>
    /// <param name="Resized">[height, width] after.</param>
    /// <param name="Torch">Rows of (plane, y, x, value): some of torchvision's normalized values.</param>
    /// <param name="PillowSha256">Of Pillow's bytes, as [3, H, W].</param>
    internal sealed record ResampledCase(int[] Source, int[] Resized, double[][] Torch, string PillowSha256)
    {
        internal ImageSize SourceSize => new(Source[0], Source[1]);

        internal ImageSize ResizedSize => new(Resized[0], Resized[1]);
    }
}
