using System.Globalization;
using System.Text.Json;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Microsoft.Playwright;

namespace Fpn.Explorer.Tests;

/// <summary>What the page shows of an answer, in a real browser.</summary>
[Collection(ExplorerFixture.Collection)]
public sealed class DetectionViewTests(ExplorerFixture fixture)
{
    private static readonly byte[] Smear = MadeImages.Read("smear-480x640.jpg");

    private static readonly string[] SideNames = ["x1", "y1", "x2", "y2"];

    private static readonly string[] Labels = ["RBC", "WBC", "Platelets"];

    private HttpClient Client => fixture.Service.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Drop_Image_ShowsTheBoxesOfTheApi()
    {
        await using var explorer = await fixture.OpenAsync();
        await explorer.DropAsync(("cells.jpg", Smear));
        await explorer.Boxes.First.WaitForAsync();

        var expected = (await Client.DetectAsync(Smear, "scoreThreshold=0.5")).GetProperty("detections")
            .EnumerateArray().ToArray();
        Assert.True(expected.Length > 10, $"{expected.Length} boxes prove little");
        var shown = await explorer.ReadBoxesAsync();
        Assert.Equal(Enumerable.Range(0, expected.Length), shown.Keys);
        for (var i = 0; i < expected.Length; i++)
        {
            var box = expected[i].GetProperty("box");
            double[] sides = [.. SideNames.Select(side => box.GetProperty(side).GetDouble())];
            Assert.All(sides.Zip(shown[i]), pair => Assert.Equal(pair.First, pair.Second, 0.01));
        }

        await AssertTableAsync(explorer, expected);
    }

    [Theory]
    [InlineData(0.97, 100, "")]
    [InlineData(0.05, 100, "")]
    [InlineData(0.05, 7, "")]
    [InlineData(0.5, 12, "RBC")]
    [InlineData(0.9, 100, "RBC,Platelets")]
    public async Task Filters_Moved_ShowWhatTheApiWouldAnswerWithoutAskingIt(double threshold, int most, string hidden)
    {
        await using var explorer = await fixture.OpenAsync();
        await explorer.DropAsync(("cells.jpg", Smear));
        await explorer.Boxes.First.WaitForAsync();
        await explorer.SlideAsync("Score at least", threshold);
        await explorer.SlideAsync("At most", most);
        foreach (var label in hidden.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            await explorer.Page.GetByRole(AriaRole.Checkbox, new() { Name = label }).UncheckAsync();
        }

        var labels = string.Join(',', Labels.Except(hidden.Split(',')));
        var query = string.Create(
            CultureInfo.InvariantCulture, $"scoreThreshold={threshold}&maxDetections={most}&labels={labels}");
        await AssertTableAsync(
            explorer, [.. (await Client.DetectAsync(Smear, query)).GetProperty("detections").EnumerateArray()]);
        Assert.Equal(await explorer.Rows.CountAsync(), await explorer.Boxes.CountAsync());
        Assert.Single(explorer.Detects);
    }

    [Fact]
    public async Task Filters_NothingLeft_SaysWhatToDo()
    {
        await using var explorer = await fixture.OpenAsync();
        await explorer.UseSampleAsync();
        await explorer.SlideAsync("Score at least", 1);
        await Assertions.Expect(explorer.Page.Locator(".empty")).ToContainTextAsync("Lower the score");
        await explorer.SlideAsync("Score at least", 0.5);
        await Assertions.Expect(explorer.Rows.First).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Hover_BoxOrRow_MarksTheOther()
    {
        await using var explorer = await fixture.OpenAsync();
        await explorer.UseSampleAsync();

        await explorer.Rows.Nth(4).HoverAsync();
        await Assertions.Expect(explorer.Page.Locator(".box.pointed")).ToHaveAttributeAsync("data-index", "4");

        await explorer.Page.Locator(".box[data-index='6'] .edge").HoverAsync();
        await Assertions.Expect(explorer.Page.Locator("tr.pointed")).ToHaveAttributeAsync("data-index", "6");
        await Assertions.Expect(explorer.Page.Locator("tr.pointed")).ToBeInViewportAsync();
    }

    [Fact]
    public async Task Zoom_WheelButtonsAndDrag_MoveThePicture()
    {
        await using var explorer = await fixture.OpenAsync();
        await explorer.UseSampleAsync();
        var before = await explorer.ReadBoxesAsync();
        var scale = await ScaleAsync();

        await explorer.Page.Locator(".frame").HoverAsync();
        await explorer.Page.Mouse.WheelAsync(0, -400);
        await Assertions.Expect(explorer.Page.Locator(".tools .scale")).Not.ToHaveTextAsync($"{scale} %");
        Assert.True(await ScaleAsync() > scale);

        // Zoomed, the boxes still lie where they belong.
        var after = await explorer.ReadBoxesAsync();
        Assert.All(before, box => Assert.All(
            box.Value.Zip(after[box.Key]), pair => Assert.Equal(pair.First, pair.Second, 0.01)));

        var place = await PlaceAsync();
        await explorer.Page.Mouse.DownAsync();
        await explorer.Page.Mouse.MoveAsync(500, 300, new() { Steps = 4 });
        await explorer.Page.Mouse.UpAsync();
        Assert.NotEqual(place, await PlaceAsync());

        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Show all" }).ClickAsync();
        await Assertions.Expect(explorer.Page.Locator(".tools .scale")).ToHaveTextAsync($"{scale} %");

        async Task<int> ScaleAsync() => int.Parse((await explorer.Page.Locator(".tools .scale").InnerTextAsync())
            .Split(' ')[0], CultureInfo.InvariantCulture);

        async Task<string?> PlaceAsync() => await explorer.Page.Locator(".picture").GetAttributeAsync("style");
    }

    [Fact]
    public async Task Gallery_SeveralPictures_KeepsThemAll()
    {
        await using var explorer = await fixture.OpenAsync();
        await explorer.DropAsync(("one.jpg", Smear), ("two.png", MadeImages.Read("alpha-300x400.png")),
            ("three.jpg", MadeImages.Read("crowded-480x800.jpg")));
        var items = explorer.Page.Locator(".gallery li.done");
        await Assertions.Expect(items).ToHaveCountAsync(3);
        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "three.jpg" }).First.ClickAsync();
        var expected = (await Client.DetectAsync(MadeImages.Read("crowded-480x800.jpg"), "scoreThreshold=0.5"))
            .GetProperty("detections");
        await Assertions.Expect(explorer.Rows).ToHaveCountAsync(expected.GetArrayLength());

        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Remove three.jpg" }).ClickAsync();
        await Assertions.Expect(items).ToHaveCountAsync(2);
        await Assertions.Expect(explorer.Page.Locator(".thumb[aria-current]")).ToHaveAttributeAsync("title", "two.png");
        Assert.Equal(3, explorer.Detects.Count);
    }

    [Fact]
    public async Task Intake_ChosenPastedAndTaken_AllCome()
    {
        await using var explorer = await fixture.OpenAsync();
        await explorer.Page.Locator(".dropzone input[type=file]").First.SetInputFilesAsync(
            new FilePayload { Name = "chosen.jpg", MimeType = "image/jpeg", Buffer = Smear });
        await Assertions.Expect(explorer.Page.Locator(".gallery li.done")).ToHaveCountAsync(1);

        await explorer.Page.EvaluateAsync(
            """
            bytes => {
              const data = new DataTransfer();
              data.items.add(
                  new File([Uint8Array.from(atob(bytes), c => c.charCodeAt(0))], 'pasted.jpg', { type: 'image/jpeg' }));
              document.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data }));
            }
            """,
            Convert.ToBase64String(Smear));
        await Assertions.Expect(explorer.Page.Locator(".gallery li.done")).ToHaveCountAsync(2);

        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Camera" }).ClickAsync();
        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Take", Exact = true }).ClickAsync();
        await Assertions.Expect(explorer.Page.Locator(".thumb[title='camera.jpg']")).ToBeVisibleAsync();
        await Assertions.Expect(explorer.Page.Locator(".gallery li.done")).ToHaveCountAsync(3);
    }

    [Fact]
    public async Task Intake_PictureThatTheBrowserCannotShow_StillShowsItsBoxes()
    {
        await using var explorer = await fixture.OpenAsync();
        await explorer.DropAsync(("cells.tif", Tiff(96, 64)));
        await Assertions.Expect(explorer.Page.Locator(".hint")).ToContainTextAsync("cannot show this kind of picture");
        await Assertions.Expect(explorer.Page.Locator(".gallery li.done")).ToHaveCountAsync(1);
        await explorer.OpenTabAsync("Request");
        await Assertions.Expect(explorer.Page.GetByText("96 × 64 TIFF")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task FirstDetection_OnTheScreen_IsMeasured()
    {
        await using var explorer = await fixture.OpenAsync();
        await explorer.DropAsync(("warm-up.jpg", Smear));
        await explorer.Boxes.First.WaitForAsync();
        List<double> own = [];
        for (var i = 0; i < 5; i++)
        {
            await explorer.Page.EvaluateAsync("() => performance.clearMeasures()");
            var response = await explorer.Page.RunAndWaitForResponseAsync(() => explorer.DropAsync(
                ($"{i}.jpg", Smear)), answer => answer.Url.Contains("/detect", StringComparison.Ordinal));
            using var answer = JsonDocument.Parse(await response.TextAsync());
            await explorer.Page.WaitForFunctionAsync(
                "() => performance.getEntriesByName('detections-shown').length === 1");
            var shown = await explorer.Page.EvaluateAsync<double>(
                "() => performance.getEntriesByName('detections-shown')[0].duration");
            own.Add(shown - answer.RootElement.GetProperty("timings").GetProperty("totalMs").GetDouble());
        }

        // Stated in docs/explorer.md, not asserted: how busy the machine is decides it.
        own.Sort();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Explorer: detections on the screen "
            + $"{own[2]:F0} ms after sending, beyond the service's own time (median of 5)"));
        Assert.All(own, milliseconds => Assert.True(milliseconds > 0));
    }

    internal static async Task AssertTableAsync(ExplorerPage explorer, JsonElement[] expected)
    {
        await Assertions.Expect(explorer.Rows).ToHaveCountAsync(expected.Length);
        var rows = await explorer.Rows.AllInnerTextsAsync();
        foreach (var (detection, row) in expected.Zip(rows))
        {
            var cells = row.Split('\t', StringSplitOptions.TrimEntries);
            Assert.Equal(detection.GetProperty("label").GetString(), cells[0]);
            Assert.Equal(detection.GetProperty("score")
                .GetDouble() * 100, double.Parse(cells[1].Split(' ')[0], CultureInfo.InvariantCulture), 0.0101);
            Assert.Equal(detection.GetProperty("level").GetString(), cells[2]);
        }
    }

    /// <summary>A gray picture as an uncompressed TIFF, which no browser but Safari shows.</summary>
    private static byte[] Tiff(int width, int height)
    {
        (ushort Tag, ushort Type, uint Value)[] entries =
        [
            (256, 3, (uint)width), (257, 3, (uint)height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 0),
                (277, 3, 1), (278, 3, (uint)height), (279, 4, (uint)(width * height)),
        ];
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        var pixels = 8 + 2 + (12 * entries.Length) + 4;
        writer.Write("II"u8);
        writer.Write((ushort)42);
        writer.Write(8u);
        writer.Write((ushort)entries.Length);
        foreach (var (tag, type, value) in entries)
        {
            writer.Write(tag);
            writer.Write(type);
            writer.Write(1u);
            writer.Write(tag == 273 ? (uint)pixels : value);
        }

        writer.Write(0u);
        writer.Write(Enumerable.Repeat((byte)150, width * height).ToArray());
        return stream.ToArray();
    }
}
