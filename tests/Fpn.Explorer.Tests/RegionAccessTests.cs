using System.Text.Json;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Microsoft.Playwright;

namespace Fpn.Explorer.Tests;

/// <summary>Boxes are drawn without a mouse too, and where the browser shows no picture.</summary>
[Collection(ExplorerFixture.Collection)]
public sealed class RegionAccessTests(ExplorerFixture fixture)
{
    private static readonly byte[] Smear = MadeImages.Read("smear-480x640.jpg");

    [Fact]
    public async Task Keyboard_Alone_DrawsMovesStretchesAndRemoves()
    {
        await using var explorer = await fixture.OpenAsync();
        var keyboard = explorer.Page.Keyboard;
        await explorer.DropAsync(("cells.jpg", Smear));
        await explorer.Boxes.First.WaitForAsync();
        await AccessTests.TabToAsync(explorer, "Draw boxes");
        await keyboard.PressAsync("Enter");
        await AccessTests.TabToAsync(explorer, "Add a box");
        await keyboard.PressAsync("Enter");

        // A new box, in the middle, has the keys.
        var box = explorer.Page.Locator(".drawn:focus");
        await Assertions.Expect(box).ToHaveAttributeAsync("data-box", "0");
        await explorer.WaitForAnswerAsync();
        var added = Assert.Single(await explorer.ReadDrawnAsync());
        Assert.Equal([160, 120, 480, 360], added);
        await keyboard.PressAsync("ArrowRight");
        await keyboard.PressAsync("ArrowDown");
        var moved = Assert.Single(await explorer.ReadDrawnAsync());
        var step = moved[0] - added[0];
        Assert.InRange(step, 1, 20);
        Assert.Equal(added.Select(side => side + step), moved);
        await keyboard.PressAsync("Shift+ArrowLeft");
        await keyboard.PressAsync("Shift+ArrowDown");
        var stretched = Assert.Single(await explorer.ReadDrawnAsync());
        Assert.Equal([moved[0], moved[1], moved[2] - step, moved[3] + step], stretched);
        await explorer.WaitForAnswerAsync();
        var regions = (await fixture.Service.Client.ClassifyAsync(Smear, JsonSerializer.Serialize(new[] { stretched })))
            .Regions();
        await explorer.AssertRegionsAsync(regions);
        await Assertions.Expect(explorer.Page.GetByRole(AriaRole.Status)).ToContainTextAsync("cells.jpg: box 1 ");

        // Plus still zooms, and the steps become finer.
        await AccessTests.TabToAsync(explorer, await explorer.Drawn().First.GetAttributeAsync("aria-label") ?? "");
        await keyboard.PressAsync("+");
        await keyboard.PressAsync("+");
        await explorer.Page.Locator(".frame.moved").WaitForAsync();
        await keyboard.PressAsync("ArrowLeft");
        var fine = stretched[0] - Assert.Single(await explorer.ReadDrawnAsync())[0];
        Assert.True(fine > 0 && fine < step, $"{fine} after {step}");

        await keyboard.PressAsync("Delete");
        await Assertions.Expect(explorer.Drawn()).ToHaveCountAsync(0);
        await Assertions.Expect(explorer.Page.Locator(".frame:focus")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task Focus_MovedOnBeforeThePageIsPainted_IsFollowed()
    {
        await using var explorer = await fixture.OpenAsync();
        await explorer.DropAsync(("cells.jpg", Smear));
        await explorer.Boxes.First.WaitForAsync();
        await explorer.AskAsync("Draw boxes");
        await explorer.Page.Locator(".hint").WaitForAsync();
        await explorer.DrawAsync(100, 100, 200, 200);
        await explorer.DrawAsync(300, 100, 400, 200);

        // Promises that are kept come before the next painting.
        await explorer.Page.EvaluateAsync(
            """
            async () => {
              for (const index of [0, 1, 0]) {
                document.querySelector(`.drawn[data-box='${index}']`).focus();
                for (let turn = 0; turn < 20; turn++) {
                  await null;
                }
              }
            }
            """);
        await Assertions.Expect(explorer.Page.Locator(".drawn:focus")).ToHaveAttributeAsync("data-box", "0");
        await Assertions.Expect(explorer.Page.Locator(".drawn.selected")).ToHaveAttributeAsync("data-box", "0");
    }

    [Fact]
    public async Task Fingers_OneDraws_TwoZoom()
    {
        await using var explorer = await fixture.OpenAsync(width: 390, height: 844, touch: true);
        await explorer.DropAsync(("cells.jpg", Smear));
        await explorer.Boxes.First.WaitForAsync();
        await explorer.AskAsync("Draw boxes");
        await explorer.Page.Locator(".hint").WaitForAsync();
        await explorer.Page.Locator(".frame").ScrollIntoViewIfNeededAsync();
        var screen = await explorer.Page.Context.NewCDPSessionAsync(explorer.Page);

        await TouchAsync("touchStart", (100, 100));
        await TouchAsync("touchMove", (180, 140));
        await TouchAsync("touchMove", (250, 220));
        await TouchAsync("touchEnd");
        await explorer.WaitForAnswerAsync();
        DrawnBoxes.AssertNear([100, 100, 250, 220], Assert.Single(await explorer.ReadDrawnAsync()), 3);

        // The second finger says that the first did not mean to draw.
        var scale = await explorer.Page.Locator(".tools .scale").InnerTextAsync();
        await TouchAsync("touchStart", (300, 250));
        await TouchAsync("touchMove", (330, 280));
        await TouchAsync("touchStart", (330, 280), (400, 300));
        await TouchAsync("touchMove", (330, 280), (500, 400));
        await TouchAsync("touchEnd");
        await Assertions.Expect(explorer.Page.Locator(".tools .scale")).Not.ToHaveTextAsync(scale);
        await Assertions.Expect(explorer.Drawn()).ToHaveCountAsync(1);
        Assert.Single(explorer.Stages);

        async Task TouchAsync(string type, params (double X, double Y)[] points)
        {
            var places = new List<object>();
            foreach (var (index, point) in points.Index())
            {
                var (x, y) = await explorer.PlaceAsync(point.X, point.Y);
                places.Add(new Dictionary<string, object> { ["x"] = x, ["y"] = y, ["id"] = index });
            }

            await screen.SendAsync("Input.dispatchTouchEvent", new() { ["type"] = type, ["touchPoints"] = places });
        }
    }

    [Fact]
    public async Task Picture_ThatTheBrowserCannotShow_HasBoxesAllTheSame()
    {
        var turned = TestImages.Read("orientation-8.tif");
        await using var explorer = await fixture.OpenAsync();
        await explorer.UseSampleAsync();
        await explorer.AskAsync("Draw boxes");
        await explorer.DropAsync(("turned.tif", turned));
        await explorer.Page.GetByText("cannot show this kind of picture").WaitForAsync();
        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Add a box" }).ClickAsync();
        await Assertions.Expect(explorer.Drawn()).ToHaveCountAsync(1);
        await explorer.WaitForAnswerAsync();
        var size = (await fixture.Service.Client.DetectAsync(turned)).GetProperty("image");
        await Assertions.Expect(explorer.Items().First.Locator("b")).ToContainTextAsync(" %");
        await explorer.OpenTabAsync("Request");
        await Assertions.Expect(explorer.Page.GetByText(
            $"{size.GetProperty("width")} × {size.GetProperty("height")} TIFF")).ToBeVisibleAsync();
    }

    /// <summary>Photographs, on a telephone and at a desk.</summary>
    [Theory]
    [InlineData("phone", 390, 844)]
    [InlineData("wide", 1440, 900)]
    public async Task Person_Drawn_IsAPerson(string name, int width, int height)
    {
        using var service = RunningService.AsShipped();
        await using var explorer = await fixture.OpenAsync(service.Address, width, height, touch: width < 500);
        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "astronaut", Exact = true }).ClickAsync();
        await explorer.Boxes.First.WaitForAsync();
        await explorer.AskAsync("Proposals alone");
        await explorer.Page.Locator(".proposals path").First.WaitForAsync();
        await CheckAsync("proposals");

        await explorer.AskAsync("Draw boxes");
        await explorer.DrawAsync(30, 10, 400, 505);
        await explorer.DrawAsync(8, 8, 90, 120);
        await Assertions.Expect(explorer.Items().First.Locator("b")).ToContainTextAsync("person 9");
        await Assertions.Expect(explorer.Items().Nth(1).Locator("b")).ToContainTextAsync("background 9");
        await Assertions.Expect(explorer.Items().Nth(1).Locator("tbody tr")).ToHaveCountAsync(6);
        await CheckAsync("regions");
        await explorer.OpenTabAsync("Request");
        await CheckAsync("request");

        async Task CheckAsync(string state)
        {
            await explorer.ShootAsync($"everyday-{name}-{state}", whole: width < 500);
            await explorer.AssertFitsAsync();
            await explorer.AssertAccessibleAsync($"{name} {state}");
        }
    }
}
