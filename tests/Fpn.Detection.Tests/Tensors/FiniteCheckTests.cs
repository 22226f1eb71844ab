using Fpn.Detection.Tensors;

namespace Fpn.Detection.Tests.Tensors;

public class FiniteCheckTests
{
    [Fact]
    public void RequireFinite_FiniteValues_GivesLargestMagnitude()
    {
        Assert.Equal(0f, FiniteCheck.RequireFinite("t", []));
        Assert.Equal(3f, FiniteCheck.RequireFinite("t", [1, -3, 2]));
        Assert.Equal(float.MaxValue, FiniteCheck.RequireFinite("t", [-0f, float.MinValue, float.Epsilon]));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void RequireFinite_BadValueAnywhere_NamesTensorAndPosition(float bad)
    {
        var values = new float[77];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = bad;
            var thrown =
                Assert.Throws<NonFiniteOutputException>(() => FiniteCheck.RequireFinite("objectness_p3", values));
            Assert.Equal("objectness_p3", thrown.Tensor);
            Assert.Contains($"position {i}:", thrown.Message, StringComparison.Ordinal);
            values[i] = 0;
        }
    }

    [Fact]
    public void MagnitudeBits_AnyLength_EqualsScalarTwin()
    {
        RandomTensors random = new(1);
        for (var length = 0; length < 150; length++)
        {
            var values = random.Normal(length, deviation: 100);
            Assert.Equal(FiniteCheck.MagnitudeBitsScalar(values), FiniteCheck.MagnitudeBits(values));
        }
    }
}
