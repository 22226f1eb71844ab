using System.Runtime.InteropServices;
using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;

namespace Fpn.Detection.Tests.Tensors;

public sealed class ImageBatchTests
{
    [Theory]
    [InlineData(PixelType.Float32, 120)]
    [InlineData(PixelType.Float16, 60)]
    [InlineData(PixelType.UInt8, 30)]
    public void Image_OfTwo_LieBehindEachOtherInMemory(PixelType type, int imageBytes)
    {
        using var batch = ImageBatch.Rent(2, new ImageSize(2, 5), type);
        var all = AllBytes(batch);
        all.Fill(7);

        batch.Clear(1);

        Assert.Equal(2, batch.Count);
        Assert.Equal(new ImageSize(2, 5), batch.Size);
        Assert.Equal(type, batch.Type);
        Assert.Equal(30, batch.ImageLength);
        Assert.Equal(2 * imageBytes, batch.ByteLength);
        Assert.Equal([.. Enumerable.Repeat((byte)7, imageBytes), .. new byte[imageBytes]], all.ToArray());
    }

    [Fact]
    public void Image_OfItsType_IsThatPartOfTheTensor()
    {
        var size = new ImageSize(1, 1);
        using var floats = ImageBatch.Rent(2, size);
        using var halves = ImageBatch.Rent(2, size, PixelType.Float16);
        using var bytes = ImageBatch.Rent(2, size, PixelType.UInt8);

        floats.Image<float>(1).Fill(1);
        halves.Image<Half>(1).Fill(Half.One);
        bytes.Image<byte>(1).Fill(1);

        Assert.Equal([1f, 1, 1], MemoryMarshal.Cast<byte, float>(AllBytes(floats))[3..].ToArray());
        Assert.Equal([Half.One, Half.One, Half.One], MemoryMarshal.Cast<byte, Half>(AllBytes(halves))[3..].ToArray());
        Assert.Equal([1, 1, 1], AllBytes(bytes)[3..].ToArray());
    }

    [Fact]
    public void Image_OfAnotherType_Throws()
    {
        var size = new ImageSize(1, 1);
        using var floats = ImageBatch.Rent(1, size);
        using var halves = ImageBatch.Rent(1, size, PixelType.Float16);
        using var bytes = ImageBatch.Rent(1, size, PixelType.UInt8);

        Assert.Throws<InvalidOperationException>(() => floats.Image<Half>(0).Length);
        // As large as a float, but another type.
        Assert.Throws<InvalidOperationException>(() => floats.Image<int>(0).Length);
        Assert.Throws<InvalidOperationException>(() => halves.Image<float>(0).Length);
        Assert.Throws<InvalidOperationException>(() => halves.Image<ushort>(0).Length);
        Assert.Throws<InvalidOperationException>(() => bytes.Image<float>(0).Length);
    }

    [Fact]
    public void Image_NoSuchIndex_Throws()
    {
        using var batch = ImageBatch.Rent(2, new ImageSize(1, 1));

        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Image<float>(-1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Image<float>(2).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Clear(2));
    }

    [Fact]
    public void Dispose_Twice_HandsTheMemoryBackOnce()
    {
        var size = new ImageSize(64, 64);
        var pool = new TensorPool(1 << 20);
        var batch = ImageBatch.Rent(1, size, PixelType.UInt8, pool);

        batch.Dispose();
        batch.Dispose();

        Assert.Equal(4096 * sizeof(float), pool.IdleBytes);
        Assert.Throws<ObjectDisposedException>(() => batch.Address);
        Assert.Throws<ObjectDisposedException>(() => batch.Image<byte>(0).Length);
        Assert.Throws<ObjectDisposedException>(() => batch.Clear(0));
        using var first = ImageBatch.Rent(1, size, PixelType.UInt8, pool);
        using var second = ImageBatch.Rent(1, size, PixelType.UInt8, pool);
        Assert.NotEqual(first.Address, second.Address);
    }

    [Fact]
    public void Dispose_FromManyThreads_HandsTheMemoryBackOnce()
    {
        var pool = new CountingPool();
        for (var round = 0; round < 200; round++)
        {
            var batch = ImageBatch.Rent(1, new ImageSize(1, 1), PixelType.Float32, pool);
            Parallel.For(0, 4, _ => batch.Dispose());
        }

        Assert.Equal(200, pool.Released);
    }

    [Fact]
    public void Rent_FromAnotherPool_AsksForTheTensorsBytesAndUsesItsMemory()
    {
        var pool = new CountingPool();

        var batch = ImageBatch.Rent(2, new ImageSize(3, 5), PixelType.Float16, pool);

        Assert.Equal(2 * 45 * 2, pool.Asked);
        Assert.Equal(pool.Address, batch.Address);
        Assert.Equal(0, pool.Released);
        batch.Dispose();
        Assert.Equal(1, pool.Released);
    }

    [Fact]
    public void Rent_PoolGivesTooLittle_HandsItBackAndThrows()
    {
        var pool = new CountingPool { Missing = 1 };

        Assert.Throws<InvalidOperationException>(
            () => ImageBatch.Rent(1, new ImageSize(3, 5), PixelType.UInt8, pool));

        Assert.Equal(1, pool.Released);
    }

    [Fact]
    public void Rent_UnknownType_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageBatch.Rent(1, new ImageSize(1, 1), (PixelType)3));

    [Theory]
    [InlineData(0, 5, 5)]
    [InlineData(1, 0, 5)]
    [InlineData(1, 5, 0)]
    [InlineData(1, 50_000, 50_000)]
    [InlineData(int.MaxValue, 1, 1)]
    [InlineData(1, int.MaxValue, int.MaxValue)]
    public void Rent_ImpossibleSize_Throws(int count, int height, int width) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ImageBatch.Rent(count, new ImageSize(height, width)));

    [Fact]
    public void PoolRent_AfterReturn_GivesTheSameMemory()
    {
        var pool = new TensorPool(1 << 20);
        var memory = pool.Rent(20_000);
        var address = memory.Address;

        memory.Dispose();

        // 20,000 and 18,801 bytes are 5000 and 4701 floats: both are served by 5120 = 1.25 · 4096.
        Assert.Equal(5120 * 4, memory.Length);
        Assert.Equal(5120 * 4, pool.IdleBytes);
        Assert.Throws<ObjectDisposedException>(() => memory.Address);
        using var again = pool.Rent(18_801);
        Assert.Equal(address, again.Address);
        Assert.Equal(0, pool.IdleBytes);
    }

    [Fact]
    public void PoolReturn_BeyondTheBound_ForgetsTheOldest()
    {
        var pool = new TensorPool(100_000);
        var (old, young) = (pool.Rent(4 * 16_384), pool.Rent(4 * 10_240));

        old.Dispose();
        young.Dispose();

        Assert.Equal(40_960, pool.IdleBytes);
        using var again = pool.Rent(4 * 10_240);
        Assert.Equal(0, pool.IdleBytes);
    }

    [Fact]
    public void PoolReturn_LargerThanTheBound_KeepsNothing()
    {
        var pool = new TensorPool(1000);

        pool.Rent(4096).Dispose();

        Assert.Equal(0, pool.IdleBytes);
    }

    [Fact]
    public void PoolRent_MoreThanAnArrayHolds_Throws()
    {
        var pool = new TensorPool(1000);

        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Rent(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.Rent(long.MaxValue));
    }

    [Theory]
    [InlineData(1, 4096)]
    [InlineData(4096, 4096)]
    [InlineData(4097, 4608)]
    [InlineData(8192, 8192)]
    [InlineData(8193, 9216)]
    [InlineData(2_611_200, 2_621_440)]
    public void PoolRoundUp_AnyLength_IsOneOfEightSizesAnOctave(int length, int rounded) =>
        Assert.Equal(rounded, TensorPool.RoundUp(length));

    [Fact]
    public void PoolRoundUp_LargestArray_StaysAnArray() =>
        Assert.Equal(Array.MaxLength, TensorPool.RoundUp(Array.MaxLength - 5));

    private static unsafe Span<byte> AllBytes(ImageBatch batch) => new((void*)batch.Address, (int)batch.ByteLength);

    /// <summary>Lends the same array every time.</summary>
    private sealed class CountingPool : ITensorMemoryPool
    {
        private readonly float[] _values = GC.AllocateArray<float>(1000, pinned: true);
        private int _released;

        public nint Address => Marshal.UnsafeAddrOfPinnedArrayElement(_values, 0);

        public long Asked { get; private set; }

        public int Released => _released;

        /// <summary>Bytes missing from what was requested.</summary>
        public int Missing { get; init; }

        public TensorMemory Rent(long bytes)
        {
            Asked = bytes;
            return new Memory(this, bytes - Missing);
        }

        private sealed class Memory(CountingPool pool, long length) : TensorMemory(pool.Address, length)
        {
            protected override void Release() => Interlocked.Increment(ref pool._released);
        }
    }
}
