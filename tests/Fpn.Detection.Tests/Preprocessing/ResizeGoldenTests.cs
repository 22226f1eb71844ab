using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Preprocessing;
using Fpn.Detection.Tensors;
using Fpn.Testing.Goldens;

namespace Fpn.Detection.Tests.Preprocessing;

public sealed class ResizeGoldenTests
{
    private const float BilinearTolerance = 1e-5f;
    private const float PillowTolerance = 1;

    public static TheoryData<string> Cases => GoldenFolder.CasesIn("tensors", "resize");

    /// <summary>The pairs of limits that the table was made for.</summary>
    public static TheoryData<int, int> Limits => new() { { 800, 1333 }, { 384, 640 }, { 320, 640 } };

    [Theory]
    [MemberData(nameof(Limits))]
    public void ResizedSize_FloorFloat32_EqualsTorchvision(int minSize, int maxSize)
    {
        AssertSizes(minSize, maxSize, SizeRounding.FloorFloat32, firstColumn: 4);
    }

    [Theory]
    [MemberData(nameof(Limits))]
    public void ResizedSize_RoundHalfUp_EqualsDetectron2(int minSize, int maxSize)
    {
        AssertSizes(minSize, maxSize, SizeRounding.RoundHalfUp, firstColumn: 6);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Normalize_Bilinear_EqualsTorch(string name)
    {
        var options = new InputOptions { MinSize = 1, MaxSize = 1 };

        var reference = Read<float>(name, "torch.npy");

        AssertPixels(name, options, reference.Shape[1..], reference.Values, BilinearTolerance);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Normalize_BilinearAntialias_EqualsPillowWithinOne(string name)
    {
        var options = new InputOptions
        {
            MinSize = 1,
            MaxSize = 1,
            Resize = ResizeFilter.BilinearAntialias,
            Scale = 1,
            Mean = [0, 0, 0],
            Std = [1, 1, 1],
        };
        var reference = Read<byte>(name, "pillow.npy");

        AssertPixels(name, options, reference.Shape[..2], Planes(reference), PillowTolerance);
    }

    private static void AssertSizes(int minSize, int maxSize, SizeRounding rounding, int firstColumn)
    {
        var transform =
            new ResizeTransform(new InputOptions { MinSize = minSize, MaxSize = maxSize, SizeRounding = rounding });
        var rows = GoldenFolder.ReadJson<SizeTable>("tensors", "sizes.json").Rows.Where(
            r => r[0] == minSize && r[1] == maxSize).ToArray();
        Assert.NotEmpty(rows);
        foreach (var row in rows)
        {
            var original = new ImageSize(row[2], row[3]);
            Assert.Equal((original, new ImageSize(row[firstColumn], row[firstColumn + 1])),
                (original, transform.ResizedSize(original)));
        }
    }

    /// <param name="name">The case.</param>
    /// <param name="options">How to resize and normalize.</param>
    /// <param name="size">Height and width to resize to.</param>
    /// <param name="reference">[3, height, width].</param>
    /// <param name="tolerance">Of a value.</param>
    private static void AssertPixels(string name, InputOptions options, int[] size, float[] reference, float tolerance)
    {
        var source = Read<byte>(name, "source.npy");
        var resized = new ImageSize(size[0], size[1]);
        var padded = new ImageSize(size[0] + 3, size[1] + 5);
        using var batch = ImageBatch.Rent(1, padded);
        var tensor = batch.Image<float>(0);
        tensor.Fill(float.NaN);

        new PixelNormalizer(options)
            .Write(source.Values, new ImageSize(source.Shape[0], source.Shape[1]), resized, batch, 0);

        for (var i = 0; i < tensor.Length; i++)
        {
            var (row, x) = Math.DivRem(i, padded.Width);
            var (plane, y) = Math.DivRem(row, padded.Height);
            var inside = y < resized.Height && x < resized.Width;
            var expected = inside ? reference[(plane * resized.Height + y) * resized.Width + x] : 0;
            Assert.True(
                MathF.Abs(expected - tensor[i]) <= (inside ? tolerance : 0),
                    $"plane {plane}, y {y}, x {x}: {tensor[i]}, not {expected}");
        }
    }

    /// <summary>[H, W, 3] bytes → [3, H, W].</summary>
    private static float[] Planes(NpyArray<byte> pixels) =>
        [.. Enumerable.Range(0, 3).SelectMany(
            plane => Enumerable.Range(0, pixels.Values.Length / 3).Select(i => (float)pixels.Values[3 * i + plane]))];

    private static NpyArray<T> Read<T>(string name, string file)
        where T : unmanaged => NpyFile.Read<T>(GoldenFolder.At("tensors", "resize", name, file));

    private sealed record SizeTable(int[][] Rows);
}
