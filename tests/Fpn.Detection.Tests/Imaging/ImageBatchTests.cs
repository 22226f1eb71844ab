using Fpn.Detection.Imaging;

namespace Fpn.Detection.Tests.Imaging;

public sealed class ImageBatchTests
{
    [Fact]
    public void Image_OfTwo_LieBehindEachOtherInMemory()
    {
        using var batch = ImageBatch.Rent(2, new ImageSize(2, 5));
        batch.Image(0).Fill(1);
        batch.Image(1).Fill(2);

        Assert.Equal(2, batch.Count);
        Assert.Equal(new ImageSize(2, 5), batch.Size);
        Assert.Equal(30, batch.ImageLength);
        Assert.Equal([.. Enumerable.Repeat(1f, 30), .. Enumerable.Repeat(2f, 30)], batch.Memory.ToArray());
    }

    [Fact]
    public void Image_NoSuchIndex_Throws()
    {
        using var batch = ImageBatch.Rent(2, new ImageSize(1, 1));

        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Image(-1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => batch.Image(2).Length);
    }

    [Fact]
    public void Dispose_Twice_HandsTheMemoryBackOnce()
    {
        var size = new ImageSize(64, 64);
        var batch = ImageBatch.Rent(1, size);

        batch.Dispose();
        batch.Dispose();

        Assert.Throws<ObjectDisposedException>(() => batch.Memory.Length);
        Assert.Throws<ObjectDisposedException>(() => batch.Image(0).Length);
        using var first = ImageBatch.Rent(1, size);
        using var second = ImageBatch.Rent(1, size);
        Assert.False(first.Memory.Span.Overlaps(second.Memory.Span));
    }

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
    public void PoolRent_AfterReturn_GivesTheSameArray()
    {
        var pool = new TensorPool(1 << 20);
        var array = pool.Rent(5000);

        pool.Return(array);

        Assert.Equal(array.Length * 4, pool.IdleBytes);
        // 5000 and 4700 are both served by 5120 = 1.25 · 4096.
        Assert.Equal(5120, array.Length);
        Assert.Same(array, pool.Rent(4700));
        Assert.Equal(0, pool.IdleBytes);
    }

    [Fact]
    public void PoolReturn_BeyondTheBound_ForgetsTheOldest()
    {
        var pool = new TensorPool(100_000);
        var (old, young) = (pool.Rent(16_384), pool.Rent(10_240));

        pool.Return(old);
        pool.Return(young);

        Assert.Equal(40_960, pool.IdleBytes);
        Assert.Same(young, pool.Rent(10_240));
        Assert.NotSame(old, pool.Rent(16_384));
    }

    [Fact]
    public void PoolReturn_LargerThanTheBound_KeepsNothing()
    {
        var pool = new TensorPool(1000);

        pool.Return(pool.Rent(4096));

        Assert.Equal(0, pool.IdleBytes);
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
}
