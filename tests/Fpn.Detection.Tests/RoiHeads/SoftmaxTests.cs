using System.Runtime.Intrinsics;
using Fpn.Detection.RoiHeads;

namespace Fpn.Detection.Tests.RoiHeads;

public class SoftmaxTests
{
    [Fact]
    public void Apply_WorkedByHand_Agrees()
    {
        // e^0 : e^ln2 : e^ln5 = 1 : 2 : 5.
        var row = Padded([0, MathF.Log(2), MathF.Log(5)]);
        Softmax.Apply(row);
        Assert.Equal(0.125f, row[0], 1e-7f);
        Assert.Equal(0.25f, row[1], 1e-7f);
        Assert.Equal(0.625f, row[2], 1e-7f);
        Assert.All(row[3..], padding => Assert.Equal(0f, padding));
    }

    [Fact]
    public void Apply_EqualLogits_AreEqualScores()
    {
        var row = Padded([-3e38f, -3e38f, -3e38f, -3e38f]);
        Softmax.Apply(row);
        Assert.Equal([0.25f, 0.25f, 0.25f, 0.25f], row[..4]);
    }

    [Fact]
    public void Apply_ExtremeLogits_StaysFinite()
    {
        var row = Padded([float.MaxValue, float.MinValue, 0]);
        Softmax.Apply(row);
        Assert.Equal([1f, 0f, 0f], row[..3]);
    }

    [Fact]
    public void Exp_WholeRange_WithinOneAndAHalfUnitsInTheLastPlace()
    {
        double worst = 0;
        for (float x = 0; x > -87; x -= 0.00137f)
        {
            var exact = Math.Exp(x);
            double lastPlace = MathF.BitIncrement((float)exact) - (float)exact;
            worst = Math.Max(worst, Math.Abs(Softmax.Exp(x) - exact) / lastPlace);
        }

        Assert.InRange(worst, 0, 1.5);
        Assert.Equal(1f, Softmax.Exp(0));
    }

    [Fact]
    public void Exp_BelowTheNormalNumbers_IsRoundedOnceAndEndsAtZero()
    {
        for (float x = -87; x > -110; x -= 0.013f)
        {
            Assert.Equal(Math.Exp(x), Softmax.Exp(x), 1.5 * float.Epsilon);
        }

        Assert.Equal(0f, Softmax.Exp(float.NegativeInfinity));
        Assert.Equal(0f, Softmax.Exp(float.MinValue));
    }

    [Fact]
    public void Exp_Vector_EqualsScalarTwinToTheBit()
    {
        RandomTensors random = new(1);
        for (var i = 0; i < 5000; i++)
        {
            float[] x = [.. Enumerable.Range(0, 8).Select(_ => -MathF.Abs(random.Normal() * 40))];
            var actual = Softmax.Exp(Vector256.Create<float>(x));
            Assert.Equal([.. x.Select(Softmax.Exp)], Enumerable.Range(0, 8).Select(lane => actual[lane]));
        }
    }

    [Fact]
    public void Apply_Vector_EqualsScalarTwinToTheBit()
    {
        RandomTensors random = new(2);
        for (var columns = 1; columns < 130; columns++)
        {
            var vector = Padded(random.Normal(columns, deviation: 1 + columns % 7 * 6));
            float[] scalar = [.. vector];
            Softmax.ApplyVector(vector);
            Softmax.ApplyScalar(scalar);
            Assert.Equal(scalar, vector);
            Assert.Equal(1, scalar.Sum(), 1e-5f);
        }
    }

    [Fact]
    public void Apply_RandomRows_AgreesWithDouble()
    {
        RandomTensors random = new(3);
        for (var i = 0; i < 200; i++)
        {
            var logits = random.Normal(91, deviation: 4);
            var row = Padded(logits);
            Softmax.Apply(row);
            var sum = logits.Sum(logit => Math.Exp(logit));
            for (var column = 0; column < logits.Length; column++)
            {
                var exact = Math.Exp(logits[column]) / sum;
                Assert.Equal(exact, row[column], 5e-7);
            }
        }
    }

    private static float[] Padded(float[] logits)
    {
        var length = (logits.Length + Softmax.Lanes - 1) / Softmax.Lanes * Softmax.Lanes;
        return [.. logits, .. Enumerable.Repeat(float.NegativeInfinity, length - logits.Length)];
    }
}
