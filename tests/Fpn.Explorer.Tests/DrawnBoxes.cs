using System.Globalization;
using System.Text.Json;
using Microsoft.Playwright;

namespace Fpn.Explorer.Tests;

/// <summary>Boxes drawn by hand on the page's picture. Points and boxes are in pixels of the picture.</summary>
internal static class DrawnBoxes
{
    /// <summary>The boxes over the picture.</summary>
    public static ILocator Drawn(this ExplorerPage explorer) => explorer.Page.Locator(".overlay .drawn");

    /// <summary>What the panel says of them.</summary>
    public static ILocator Items(this ExplorerPage explorer) => explorer.Page.Locator(".drawn-list > li");

    /// <summary>The mouse goes from one point to another, pressed.</summary>
    public static async Task DragAsync(this ExplorerPage explorer, double x1, double y1, double x2, double y2)
    {
        var (from, to) = (await explorer.PlaceAsync(x1, y1), await explorer.PlaceAsync(x2, y2));
        var mouse = explorer.Page.Mouse;
        await mouse.MoveAsync(from.X, from.Y);
        await mouse.DownAsync();
        await mouse.MoveAsync(to.X, to.Y, new() { Steps = 4 });
        await mouse.UpAsync();
    }

    /// <summary>Draws a box and waits for its answer.</summary>
    public static async Task DrawAsync(this ExplorerPage explorer, params double[] box)
    {
        var count = await explorer.Drawn().CountAsync();
        await explorer.DragAsync(box[0], box[1], box[2], box[3]);
        await Assertions.Expect(explorer.Drawn()).ToHaveCountAsync(count + 1);
        await explorer.WaitForAnswerAsync();
    }

    /// <summary>Waits until all boxes are answered as they are.</summary>
    public static async Task WaitForAnswerAsync(this ExplorerPage explorer)
    {
        await Assertions.Expect(explorer.Page.Locator(".progress")).ToHaveCountAsync(0);
        await Assertions.Expect(explorer.Items().Locator("b", new() { HasText = "…" })).ToHaveCountAsync(0);
    }

    /// <summary>Where a point of the picture lies in the window.</summary>
    public static async Task<(float X, float Y)> PlaceAsync(this ExplorerPage explorer, double x, double y)
    {
        var place = await explorer.Page.EvaluateAsync<double[]>(
            """
            () => {
              const picture = new DOMMatrix(getComputedStyle(document.querySelector('.picture')).transform);
              const frame = document.querySelector('.frame').getBoundingClientRect();
              return [picture.a, frame.left + picture.e, frame.top + picture.f];
            }
            """);
        return ((float)(place[1] + (x * place[0])), (float)(place[2] + (y * place[0])));
    }

    /// <summary>The boxes as they lie over the picture, [N, 4]: they are in whole pixels.</summary>
    public static async Task<double[][]> ReadDrawnAsync(this ExplorerPage explorer)
    {
        var boxes = new double[await explorer.Drawn().CountAsync()][];
        for (var index = 0; index < boxes.Length; index++)
        {
            var read = await explorer.ReadRectangleAsync($".drawn[data-box='{index}'] .hold");
            boxes[index] = [.. read.Select(side => Math.Round(side))];
            AssertNear(boxes[index], read, 0.01);
        }

        return boxes;
    }

    /// <summary>Asserts that a box is where it should be.</summary>
    public static void AssertNear(double[] expected, double[] actual, double tolerance) =>
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, tolerance));

    /// <summary>Asserts that page and picture show these regions of an answer.</summary>
    public static async Task AssertRegionsAsync(this ExplorerPage explorer, JsonElement[] regions)
    {
        await Assertions.Expect(explorer.Items()).ToHaveCountAsync(regions.Length);
        foreach (var (index, region) in regions.Index())
        {
            var item = explorer.Items().Nth(index);
            var scores = region.GetProperty("scores").EnumerateArray().Select(Score)
                .Append(("background", Percent(region.GetProperty("background")))).ToArray();
            var best = region.GetProperty("scores")[0];
            var isBackground = best.GetProperty("score").GetDouble() < region.GetProperty("background").GetDouble();
            var (label, score) = isBackground ? scores[^1] : scores[0];
            await Assertions.Expect(item.Locator("b")).ToHaveTextAsync($"{label} {score}");

            var open = item.Locator("button[aria-expanded]");
            if (await open.GetAttributeAsync("aria-expanded") == "false")
            {
                await open.ClickAsync();
            }

            await Assertions.Expect(item.Locator("tbody th")).ToHaveTextAsync(scores.Select(row => row.Item1));
            await Assertions.Expect(item.Locator("tbody td.number")).ToHaveTextAsync(scores.Select(row => row.Item2));
            var level = region.GetProperty("level").GetString();
            await Assertions.Expect(item.Locator(".chain h3")).ToHaveTextAsync(
                [$"Box {index + 1}, pooled from {level}", $"Refined for {scores[0].Item1}"]);
            AssertNear(
                [.. region.GetProperty("box").EnumerateObject().Select(side => side.Value.GetDouble())],
                await explorer.ReadRectangleAsync($".drawn[data-box='{index}'] .refined"),
                0.01);
        }
    }

    private static (string Label, string Score) Score(JsonElement score) =>
        (score.GetProperty("label").GetString()!, Percent(score.GetProperty("score")));

    /// <summary>Rounded down: 100 would say that there is no doubt.</summary>
    private static string Percent(JsonElement fraction) => string.Create(
        CultureInfo.InvariantCulture, $"{Math.Floor((fraction.GetDouble() * 10_000) + 1e-6) / 100:F2} %");
}
