using Fpn.Imaging.Painting;
using Fpn.Imaging.Pixels;

namespace Fpn.Imaging.Tests;

/// <summary>Colors that can be told apart and read.</summary>
public sealed class ClassColorsTests
{
    [Fact]
    public void Of_FirstClasses_AreTheseAlways() =>
        Assert.Equal(
            [new Rgb(255, 0, 0), new Rgb(56, 114, 255), new Rgb(149, 255, 0)],
            Enumerable.Range(0, 3).Select(ClassColors.ColorFor));

    [Fact]
    public void Of_FirstClasses_AreFarApart()
    {
        for (var one = 0; one < 8; one++)
        {
            for (var two = 0; two < one; two++)
            {
                Assert.InRange(Distance(ClassColors.ColorFor(one), ClassColors.ColorFor(two)), 60, double.MaxValue);
            }
        }
    }

    [Fact]
    public void Of_ClassesOfCoco_AreAllDifferent() =>
        Assert.Equal(91, Enumerable.Range(0, 91).Select(ClassColors.ColorFor).Distinct().Count());

    [Fact]
    public void Of_AnyClass_StandsOutFromItsOutline() =>
        Assert.All(
            Enumerable.Range(0, 1000),
            number => Assert.InRange(ClassColors.ColorFor(number).ContrastTo(ClassColors.Outline), 4.5, 21));

    private static double Distance(Rgb one, Rgb two) =>
        Math.Sqrt(
            Math.Pow(one.Red - two.Red, 2) + Math.Pow(one.Green - two.Green, 2) + Math.Pow(one.Blue - two.Blue, 2));
}
