using System.Text.Json;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Microsoft.Playwright;

namespace Fpn.Explorer.Tests;

/// <summary>The second stage alone: boxes are drawn by hand, and the page shows what is in them.</summary>
[Collection(ExplorerFixture.Collection)]
public sealed class RegionViewTests(ExplorerFixture fixture)
{
    private const string Address = "/regions?model=blood-cells";

    private static readonly byte[] Smear = MadeImages.Read("smear-480x640.jpg");

    private HttpClient Client => fixture.Service.Client;

    [Fact]
    public async Task Boxes_Drawn_ShowWhatTheApiSaysOfThem()
    {
        var cell = (await Client.DetectAsync(Smear)).GetProperty("detections")[0].Corners();
        await using var explorer = await OpenAsync();
        await Assertions.Expect(explorer.Page.Locator(".hint")).ToHaveTextAsync("Drag to draw a box.");
        await explorer.DrawAsync(cell);
        await Assertions.Expect(explorer.Page.Locator(".hint")).ToHaveCountAsync(0);
        Assert.Equal([Address], explorer.Stages);

        // From any corner to the one across, also within another box.
        await explorer.DrawAsync(cell[2] - 8, cell[1] + 8, cell[0] + 8, cell[3] - 10);
        await explorer.DrawAsync(20, 400, 20 + 64, 400 - 50);
        var drawn = await explorer.ReadDrawnAsync();
        DrawnBoxes.AssertNear(cell, drawn[0], 1.5);
        DrawnBoxes.AssertNear([cell[0] + 8, cell[1] + 8, cell[2] - 8, cell[3] - 10], drawn[1], 1.5);
        DrawnBoxes.AssertNear([20, 350, 84, 400], drawn[2], 1.5);
        await explorer.AssertRegionsAsync(await ClassifyAsync(Smear, drawn));

        // All boxes in one request, each time.
        Assert.Equal([Address, Address, Address], explorer.Stages);
        Assert.Single(explorer.Detects);
        await explorer.ShootAsync("regions");

        await explorer.OpenTabAsync("Request");
        await Assertions.Expect(explorer.Page.Locator("pre.code")).ToHaveTextAsync(
            $"curl \\\n  -F 'image=@\"cells.jpg\"' \\\n  -F 'boxes={JsonSerializer.Serialize(drawn)}' \\\n  "
                + $"'{fixture.Service.Address}regions'");
        await Assertions.Expect(explorer.Page.Locator(".stages dl > div")).ToHaveCountAsync(6);
        var (name, bytes) = await explorer.DownloadAsync("JSON");
        Assert.Equal("cells.regions.json", name);
        using var downloaded = JsonDocument.Parse(bytes);
        Assert.True(JsonElement.DeepEquals(
            (await Client.ClassifyAsync(Smear, JsonSerializer.Serialize(drawn))).GetProperty("regions"),
            downloaded.RootElement.GetProperty("regions")));
    }

    [Fact]
    public async Task Boxes_MovedAndStretched_AreAskedAboutAgain()
    {
        await using var explorer = await OpenAsync();
        await explorer.DrawAsync(100, 100, 200, 180);
        await explorer.DrawAsync(300, 200, 420, 330);
        var before = await explorer.ReadDrawnAsync();

        // The edge moves a box that is not selected, too; the corner only changes the corner.
        await explorer.DragAsync(150, before[0][1], 190, before[0][1] + 25);
        await explorer.WaitForAnswerAsync();
        var moved = await explorer.ReadDrawnAsync();
        DrawnBoxes.AssertNear(
            [before[0][0] + 40, before[0][1] + 25, before[0][2] + 40, before[0][3] + 25], moved[0], 1.5);
        Assert.Equal(before[1], moved[1]);
        await explorer.DragAsync(moved[0][2], moved[0][3], 260, 240);
        await explorer.WaitForAnswerAsync();
        var stretched = await explorer.ReadDrawnAsync();
        DrawnBoxes.AssertNear([moved[0][0], moved[0][1], 260, 240], stretched[0], 1.5);
        Assert.Equal(4, explorer.Stages.Count);
        await explorer.AssertRegionsAsync(await ClassifyAsync(Smear, stretched));

        // Pulled over the other corner, it is the box on the other side.
        await SelectAsync(explorer, 0);
        await explorer.DragAsync(stretched[0][0], stretched[0][1], 300, 260);
        DrawnBoxes.AssertNear(
            [stretched[0][2], stretched[0][3], 300, 260], (await explorer.ReadDrawnAsync())[0], 1.5);
    }

    [Fact]
    public async Task Corner_WhereAnotherBoxHasItsEdge_IsTheSelectedBoxes()
    {
        await using var explorer = await OpenAsync();
        await explorer.DrawAsync(100, 100, 200, 200);
        await explorer.DrawAsync(300, 320, 150, 203);
        var before = await explorer.ReadDrawnAsync();
        await SelectAsync(explorer, 0);
        await explorer.DragAsync(before[0][2], before[0][3], 230, 240);
        var after = await explorer.ReadDrawnAsync();
        DrawnBoxes.AssertNear([100, 100, 230, 240], after[0], 1.5);
        Assert.Equal(before[1], after[1]);
    }

    [Fact]
    public async Task Boxes_ClickedOrRemoved_AreTheOnesMeant()
    {
        await using var explorer = await OpenAsync();
        await explorer.DrawAsync(100, 100, 400, 380);
        await explorer.DrawAsync(150, 150, 250, 250);
        await explorer.DrawAsync(440, 40, 520, 120);
        await AssertSelectedAsync(explorer, 2);

        // A click chooses the smallest box there; beside all of them it chooses none.
        await ClickAsync(explorer, 200, 200);
        await AssertSelectedAsync(explorer, 1);
        await ClickAsync(explorer, 350, 350);
        await AssertSelectedAsync(explorer, 0);
        await ClickAsync(explorer, 560, 400);
        await Assertions.Expect(explorer.Page.Locator(".drawn.selected")).ToHaveCountAsync(0);
        Assert.Equal(3, explorer.Stages.Count);

        // The one that was clicked has the keys.
        await explorer.DrawAsync(40, 380, 90, 430);
        await ClickAsync(explorer, 560, 400);
        await ClickAsync(explorer, 65, 405);
        await AssertSelectedAsync(explorer, 3);
        await explorer.Page.Keyboard.PressAsync("Delete");
        await Assertions.Expect(explorer.Drawn()).ToHaveCountAsync(3);
        await explorer.WaitForAnswerAsync();

        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Remove box 2" }).ClickAsync();
        await explorer.WaitForAnswerAsync();
        var left = await explorer.ReadDrawnAsync();
        Assert.Equal(2, left.Length);
        await explorer.AssertRegionsAsync(await ClassifyAsync(Smear, left));
        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Remove all" }).ClickAsync();
        await Assertions.Expect(explorer.Page.Locator(".hint")).ToBeVisibleAsync();
        await explorer.OpenTabAsync("Request");
        await Assertions.Expect(explorer.Page.GetByText("Draw a box first.")).ToBeVisibleAsync();

        // Without boxes there is nothing to ask.
        Assert.Equal((6, 1), (explorer.Stages.Count, explorer.Detects.Count));
    }

    [Fact]
    public async Task Boxes_OfAPictureZoomedAndMoved_AreInItsPixels()
    {
        await using var explorer = await OpenAsync();
        await explorer.DrawAsync(300, 200, 400, 300);
        var (x, y) = await explorer.PlaceAsync(320, 240);
        await explorer.Page.Mouse.MoveAsync(x, y);
        await explorer.Page.Mouse.WheelAsync(0, -500);
        await explorer.Page.Locator(".frame.moved").WaitForAsync();

        // With the pen put away, dragging moves the picture.
        var pen = explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Draw", Exact = true });
        await pen.ClickAsync();
        await Assertions.Expect(pen).ToHaveAttributeAsync("aria-pressed", "false");
        var place = await explorer.PlaceAsync(0, 0);
        await explorer.DragAsync(320, 240, 300, 260);
        Assert.NotEqual(place, await explorer.PlaceAsync(0, 0));
        await Assertions.Expect(explorer.Drawn()).ToHaveCountAsync(1);

        await pen.ClickAsync();
        await explorer.DrawAsync(310, 210, 380, 285);
        var drawn = await explorer.ReadDrawnAsync();
        DrawnBoxes.AssertNear([300, 200, 400, 300], drawn[0], 1.5);
        DrawnBoxes.AssertNear([310, 210, 380, 285], drawn[1], 1);
        await explorer.AssertRegionsAsync(await ClassifyAsync(Smear, drawn));
        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Show all" }).ClickAsync();
        Assert.Equal(drawn, await explorer.ReadDrawnAsync());
    }

    [Fact]
    public async Task Boxes_OfAPictureThatIsTurned_AreInPixelsAsDisplayed()
    {
        // Stored 480 x 360, shown 360 x 480.
        var turned = MadeImages.Read("exif6-480x360.jpg");
        var cell = (await Client.DetectAsync(turned)).GetProperty("detections")[0].Corners();
        await using var explorer = await OpenAsync(turned);
        await explorer.DrawAsync(cell);
        await explorer.DrawAsync(40, 380, 320, 470);
        var drawn = await explorer.ReadDrawnAsync();
        DrawnBoxes.AssertNear(cell, drawn[0], 1.5);
        DrawnBoxes.AssertNear([40, 380, 320, 470], drawn[1], 1.5);
        var regions = await ClassifyAsync(turned, drawn);
        Assert.True(regions[0].GetProperty("scores")[0].GetProperty("score").GetDouble() > 0.9);
        await explorer.AssertRegionsAsync(regions);
    }

    [Fact]
    public async Task Boxes_OutsideThePicture_SayWhatIsWrongAndCostTheOthersNothing()
    {
        // Upright, it leaves room beside it.
        var upright = MadeImages.Read("exif6-480x360.jpg");
        await using var explorer = await OpenAsync(upright);
        await explorer.DrawAsync(-100, 100, -20, 200);
        await explorer.DrawAsync(300, 300, 420, 400);
        var drawn = await explorer.ReadDrawnAsync();
        Assert.True(drawn[0][2] < 0 && drawn[1][2] > 360, $"{drawn[0][2]}, {drawn[1][2]}");
        var regions = await ClassifyAsync(upright, drawn);
        var item = explorer.Items().First;
        await Assertions.Expect(item.Locator("b")).ToHaveTextAsync("not looked at");
        await SelectAsync(explorer, 0);
        await Assertions.Expect(item).ToContainTextAsync(regions[0].GetProperty("error").GetString()!);
        await Assertions.Expect(explorer.Page.Locator(".drawn[data-box='0'] .refined")).ToHaveCountAsync(0);
        DrawnBoxes.AssertNear(
            regions[1].Corners(), await explorer.ReadRectangleAsync(".drawn[data-box='1'] .refined"), 0.01);
    }

    [Fact]
    public async Task Boxes_MoreThanTheServiceTakes_SayWhatToDoAndCanBeMended()
    {
        using var service = new RunningService(
            ("Fpn:Limits:MaxRegions", "1"), ("Fpn:Batching:MaxBatchSize", "1"));
        await using var explorer = await fixture.OpenAsync(service.Address);
        explorer.Expect("status of 413");
        await StartAsync(explorer, Smear);
        await explorer.DrawAsync(100, 100, 200, 200);
        await explorer.DragAsync(300, 300, 400, 400);
        await Assertions.Expect(explorer.Fault).ToContainTextAsync("Too many boxes. Remove some");
        await Assertions.Expect(explorer.Items().Nth(1).Locator("b")).ToHaveTextAsync("no answer");
        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Remove box 1" }).ClickAsync();
        await Assertions.Expect(explorer.Fault).ToHaveCountAsync(0);
        await explorer.WaitForAnswerAsync();
        await explorer.AssertRegionsAsync(await ClassifyAsync(Smear, await explorer.ReadDrawnAsync()));
    }

    [Fact]
    public async Task Box_DrawnWhileAnotherIsAskedAbout_IsAskedAboutWithIt()
    {
        await using var explorer = await OpenAsync();

        // The first request is never answered.
        var requests = 0;
        await explorer.Page.RouteAsync(
            "**/regions*",
            route => Interlocked.Increment(ref requests) == 1 ? Task.CompletedTask : route.ContinueAsync());
        await explorer.DragAsync(100, 100, 200, 200);
        await Assertions.Expect(explorer.Items().First.Locator("b")).ToHaveTextAsync("…");
        await explorer.DrawAsync(300, 300, 400, 400);
        Assert.Equal(2, explorer.Stages.Count);
        await explorer.AssertRegionsAsync(await ClassifyAsync(Smear, await explorer.ReadDrawnAsync()));
    }

    [Fact]
    public async Task Boxes_OfEachPicture_AreKept()
    {
        await using var explorer = await OpenAsync();
        await explorer.DrawAsync(100, 100, 200, 200);
        await explorer.DropAsync(("alpha.png", MadeImages.Read("alpha-300x400.png")));
        await Assertions.Expect(explorer.Drawn()).ToHaveCountAsync(0);
        await explorer.Page.Locator(".hint").WaitForAsync();
        await explorer.DrawAsync(10, 10, 60, 80);
        await explorer.DrawAsync(70, 10, 160, 80);
        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "cells.jpg" }).First.ClickAsync();
        await Assertions.Expect(explorer.Drawn()).ToHaveCountAsync(1);
        await explorer.AskAsync("Detect");
        await explorer.Boxes.First.WaitForAsync();
        await Assertions.Expect(explorer.Drawn()).ToHaveCountAsync(0);
        await explorer.AskAsync("Draw boxes");
        await Assertions.Expect(explorer.Items().Locator("b")).ToContainTextAsync(" %");
        Assert.Equal((3, 2), (explorer.Stages.Count, explorer.Detects.Count));
    }

    private static Task SelectAsync(ExplorerPage explorer, int index) =>
        explorer.Items().Nth(index).Locator("button[aria-expanded=false]").ClickAsync();

    private static async Task ClickAsync(ExplorerPage explorer, double x, double y)
    {
        var place = await explorer.PlaceAsync(x, y);
        await explorer.Page.Mouse.ClickAsync(place.X, place.Y);
    }

    private static async Task AssertSelectedAsync(ExplorerPage explorer, int index)
    {
        await Assertions.Expect(explorer.Page.Locator(".drawn.selected")).ToHaveAttributeAsync("data-box", $"{index}");
        await Assertions.Expect(explorer.Page.Locator(".drawn-list > li.open")).ToHaveAttributeAsync(
            "data-box", $"{index}");
    }

    private static async Task StartAsync(ExplorerPage explorer, byte[] image)
    {
        await explorer.DropAsync(("cells.jpg", image));
        await explorer.Boxes.First.WaitForAsync();
        await explorer.AskAsync("Draw boxes");
        await explorer.Page.Locator(".hint").WaitForAsync();
    }

    private async Task<ExplorerPage> OpenAsync(byte[]? image = null)
    {
        var explorer = await fixture.OpenAsync();
        await StartAsync(explorer, image ?? Smear);
        return explorer;
    }

    private async Task<JsonElement[]> ClassifyAsync(byte[] image, double[][] boxes) =>
        (await Client.ClassifyAsync(image, JsonSerializer.Serialize(boxes))).Regions();
}
