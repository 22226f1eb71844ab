using System.Net;
using System.Text.Json;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Playwright;

namespace Fpn.Explorer.Tests;

/// <summary>Taking a result along: downloads, the command, the stage times.</summary>
[Collection(ExplorerFixture.Collection)]
public sealed class RequestViewTests(ExplorerFixture fixture)
{
    private const string Query = "scoreThreshold=0.9&maxDetections=15&labels=RBC,Platelets";

    private static readonly byte[] Smear = MadeImages.Read("smear-480x640.jpg");

    [Fact]
    public async Task Download_Json_IsTheApisAnswerForWhatIsShown()
    {
        await using var explorer = await OpenAsync();
        var (name, bytes) = await explorer.DownloadAsync("JSON");

        Assert.Equal("cells.json", name);
        using var downloaded = JsonDocument.Parse(bytes);
        var expected = await fixture.Service.Client.DetectAsync(Smear, Query);
        Assert.Equal(expected.EnumerateObject().Select(part => part.Name), downloaded.RootElement.EnumerateObject()
            .Select(part => part.Name));
        foreach (var part in new[] { "model", "modelVersion", "image", "detections" })
        {
            Assert.True(JsonElement.DeepEquals(
                expected.GetProperty(part), downloaded.RootElement.GetProperty(part)), part);
        }
    }

    [Fact]
    public async Task Download_Png_IsThePictureWithItsBoxes()
    {
        await using var explorer = await OpenAsync();
        var (name, bytes) = await explorer.DownloadAsync("PNG");

        Assert.Equal("cells.boxes.png", name);
        var box = (await fixture.Service.Client.DetectAsync(Smear, Query)).GetProperty("detections")[0]
            .GetProperty("box");
        var (x, y) = (box.GetProperty("x2")
            .GetDouble(), (box.GetProperty("y1").GetDouble() + box.GetProperty("y2").GetDouble()) / 2);

        // The class's red on the best box's right edge, where the picture is not.
        var read = await explorer.Page.EvaluateAsync<int[]>(
            """
            async ({ png, x, y }) => {
              const picture = await createImageBitmap(
                  new Blob([Uint8Array.from(atob(png), c => c.charCodeAt(0))], { type: 'image/png' }));
              const context = new OffscreenCanvas(picture.width, picture.height).getContext('2d');
              context.drawImage(picture, 0, 0);
              return [picture.width, picture.height, ...context.getImageData(
                  Math.floor(x) - (x >= picture.width ? 1 : 0), Math.floor(y), 1, 1).data];
            }
            """,
            new { png = Convert.ToBase64String(bytes), x, y });
        Assert.Equal((640, 480), (read[0], read[1]));
        Assert.True(read[2] > 230 && read[3] < 120 && read[4] < 120, $"rgb {read[2]} {read[3]} {read[4]}");
    }

    [Theory]
    [InlineData("COCO", "coco", "cells.coco.json")]
    [InlineData("VOC", "voc", "cells.xml")]
    [InlineData("YOLO", "yolo", "cells.txt")]
    public async Task Download_OtherFormats_AreTheApisForWhatIsShown(string button, string format, string file)
    {
        await using var explorer = await OpenAsync();
        var (name, bytes) = await explorer.DownloadAsync(button);

        using var response = await fixture.Service.Client.PostDetectAsync(Smear, $"{Query}&format={format}");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken), bytes);
        Assert.Equal(file, name);
        var asked = QueryHelpers.ParseQuery(explorer.Detects[^1].Query)
            .ToDictionary(pair => pair.Key, pair => pair.Value.ToString());
        Assert.Equal(
            new Dictionary<string, string>
            {
                ["format"] = format,
                ["scoreThreshold"] = "0.9",
                ["maxDetections"] = "15",
                ["labels"] = "RBC,Platelets"
            },
            asked);
    }

    [Fact]
    public async Task Command_Copied_AsksForWhatIsShown()
    {
        await using var explorer = await OpenAsync();
        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Copy" }).ClickAsync();
        await Assertions.Expect(explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Copied" })).ToBeVisibleAsync();
        var command = await explorer.Page.EvaluateAsync<string>("() => navigator.clipboard.readText()");

        Assert.Equal(
            $"curl \\\n  --data-binary '@cells.jpg' \\\n  "
                + $"'{fixture.Service.Address}detect?{Query.Replace(",", "%2C", StringComparison.Ordinal)}'", command);
    }

    [Fact]
    public async Task Stages_OfTheAnswer_AreShown()
    {
        await using var explorer = await OpenAsync();
        var stages = explorer.Page.Locator(".stages dl > div");
        Assert.Equal(["Decode", "Resize", "Wait", "Model", "Choose", "On the way"], await stages.Locator("dt")
            .AllInnerTextsAsync());
        Assert.All(await stages.Locator("dd").AllInnerTextsAsync(), time => Assert.Matches(@"^[\d.]+ m?s$", time));
        var widths = await explorer.Page.Locator(".stages > svg rect")
            .EvaluateAllAsync<double[]>("bars => bars.map(bar => Number(bar.getAttribute('width')))");
        Assert.Equal(100, widths.Sum(), 0.01);
    }

    private async Task<ExplorerPage> OpenAsync()
    {
        var explorer = await fixture.OpenAsync();
        await explorer.DropAsync(("cells.jpg", Smear));
        await explorer.Boxes.First.WaitForAsync();
        await explorer.SlideAsync("Score at least", 0.9);
        await explorer.SlideAsync("At most", 15);
        await explorer.Page.GetByRole(AriaRole.Checkbox, new() { Name = "WBC" }).UncheckAsync();
        await explorer.OpenTabAsync("Request");
        return explorer;
    }
}
