using System.Runtime.InteropServices;
using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Preprocessing;
using Fpn.Detection.Tensors;
using Fpn.Detection.Views;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Vips;
using Fpn.Models.Detectors;
using Fpn.Testing.Images;

namespace Fpn.Models.Tests;

public sealed unsafe class PreprocessorTests : IDisposable
{
    private static readonly InputOptions s_options = new()
    {
        MinSize = 96,
        MaxSize = 160,
        Resize = ResizeFilter.BilinearAntialias,
    };

    private static readonly ImageSize s_padded = new(160, 160);

    private readonly DirtyPool _pool = new();
    private readonly List<MeasuredImage> _images =
    [
        .. new[] { "smear-480x640.jpg", "crowded-480x800.jpg", "exif6-480x360.jpg" }.Select(Measure),
    ];

    [Theory]
    [InlineData(PixelType.Float32)]
    [InlineData(PixelType.Float16)]
    [InlineData(PixelType.UInt8)]
    public void Prepare_SeveralImages_AreWhatEachIsAlone(PixelType type)
    {
        var preprocessor = new Preprocessor(s_options, type);

        using var together = preprocessor.Prepare(s_padded, _images);

        Assert.Equal(type, together.Tensor.Type);
        Assert.Equal(_images.Count, together.Tensor.Count);
        for (var i = 0; i < _images.Count; i++)
        {
            using var alone = preprocessor.Prepare(s_padded, [_images[i]]);
            Assert.Equal(_images[i].Geometry, together.Geometries[i]);
            Assert.True(Bytes(alone, 0).ContainsAnyExcept((byte)0));
            Assert.True(Bytes(alone, 0).SequenceEqual(Bytes(together, i)), $"image {i}");
        }
    }

    /// <summary>The rule would make 96 x 128 of this picture; it was measured to 48 x 64 beforehand.</summary>
    [Fact]
    public void Prepare_MeasuredBefore_ResizesToThatAndDoesNotMeasureAgain()
    {
        var geometry = _images[0].Geometry with { Resized = new ImageSize(48, 64), Padded = new ImageSize(64, 64) };

        using var prepared = new Preprocessor(s_options, PixelType.UInt8)
            .Prepare(new ImageSize(64, 64), [_images[0] with { Geometry = geometry }]);

        Assert.Equal(geometry, prepared.Geometries[0]);
        Assert.True(Bytes(prepared, 0)[..(48 * 64 * 3)].ContainsAnyExcept((byte)0));
        Assert.False(Bytes(prepared, 0)[(48 * 64 * 3)..].ContainsAnyExcept((byte)0));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void Prepare_MoreThanThereAre_LeavesTheRestBlank(int images)
    {
        var preprocessor = new Preprocessor(s_options, PixelType.UInt8, _pool);

        using var prepared = preprocessor.Prepare(s_padded, _images[..images], count: 5);

        Assert.Equal(5, prepared.Tensor.Count);
        Assert.Equal(images, prepared.Geometries.Count);
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(i < images, Bytes(prepared, i).ContainsAnyExcept((byte)0));
        }
    }

    [Fact]
    public void Prepare_FewerThanThereAre_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new Preprocessor(s_options, PixelType.Float32).Prepare(s_padded, _images, count: 2));

    [Fact]
    public void Prepare_WithAPool_LiesInItsMemoryUntilDisposed()
    {
        var prepared = new Preprocessor(s_options, PixelType.Float16, _pool).Prepare(s_padded, _images);

        Assert.Equal(1, _pool.Rented);
        Assert.Equal(_pool.Address, prepared.Tensor.Address);
        prepared.Dispose();
        Assert.Equal(0, _pool.Rented);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Prepare_OneImageFails_ThrowsItsExceptionAndHandsTheMemoryBack(int images)
    {
        var preprocessor = new Preprocessor(s_options, PixelType.Float32, _pool);
        _images[images - 1].Decoded.Dispose();

        Assert.Throws<ObjectDisposedException>(() => preprocessor.Prepare(s_padded, _images[..images]));

        Assert.Equal(0, _pool.Rented);
    }

    public void Dispose() => _images.ForEach(image => image.Decoded.Dispose());

    private static MeasuredImage Measure(string name)
    {
        var decoded = new ImageDecoder(40_000_000, new VipsCodec()).Decode(MadeImages.Read(name)).Image!;
        var geometry = new Preprocessor(s_options, PixelType.Float32).Measure(decoded.Size);
        return new MeasuredImage(decoded, new View(decoded.Size), geometry);
    }

    private static Span<byte> Bytes(PreparedBatch prepared, int image)
    {
        var length = (int)(prepared.Tensor.ByteLength / prepared.Tensor.Count);
        return new Span<byte>((byte*)prepared.Tensor.Address + (image * length), length);
    }

    /// <summary>One tensor's memory, full of what nothing may keep.</summary>
    private sealed class DirtyPool : ITensorMemoryPool
    {
        private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(1 << 20, pinned: true);

        public nint Address => Marshal.UnsafeAddrOfPinnedArrayElement(_bytes, 0);

        public int Rented { get; private set; }

        public TensorMemory Rent(long bytes)
        {
            Rented++;
            Array.Fill(_bytes, (byte)0x7A);
            return new Memory(this);
        }

        private sealed class Memory(DirtyPool pool) : TensorMemory(pool.Address, pool._bytes.Length)
        {
            protected override void Release() => pool.Rented--;
        }
    }
}
