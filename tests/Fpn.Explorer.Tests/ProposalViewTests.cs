using System.Globalization;
using System.Text.Json;
using Fpn.Testing.Images;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;
using Microsoft.Playwright;

namespace Fpn.Explorer.Tests;

/// <summary>The first stage alone.</summary>
[Collection(ExplorerFixture.Collection)]
public sealed class ProposalViewTests(ExplorerFixture fixture)
{
    private static readonly byte[] Smear = MadeImages.Read("smear-480x640.jpg");

    private HttpClient Client => fixture.Service.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Proposals_Alone_AreDrawnBestFirstByLevel()
    {
        var proposals = (await Client.ProposeAsync(Smear)).GetProperty("proposals").EnumerateArray().ToArray();
        await using var explorer = await OpenAsync();
        await Assertions.Expect(explorer.Boxes).ToHaveCountAsync(0);
        foreach (var count in new[] { 12, proposals.Length, 0 })
        {
            await explorer.SlideAsync("Proposals shown", count);
            await AssertDrawnAsync(explorer, proposals.Take(count));
        }

        await explorer.SlideAsync("Proposals shown", 12);
        await Assertions.Expect(explorer.Page.GetByText("The last one shown")).ToContainTextAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"objectness of {Math.Floor(proposals[11].GetProperty("objectness").GetDouble() * 10_000) / 100:F2} %."));
        await explorer.Page.GetByRole(AriaRole.Checkbox, new() { Name = "P3" }).UncheckAsync();
        await AssertDrawnAsync(explorer, proposals.Take(12).Where(proposal => Level(proposal) != "p3"));

        var counts = await explorer.Page.Locator(".histogram td").AllTextContentsAsync();
        Assert.Equal(proposals.Length, counts.Sum(text => int.Parse(text, CultureInfo.InvariantCulture)));
        Assert.Equal(["/proposals?model=blood-cells"], explorer.Stages);
        Assert.Single(explorer.Detects);
        await explorer.ShootAsync("proposals-alone");
    }

    [Fact]
    public async Task Numbers_Chosen_AreAskedForUntilTheyAreTakenBack()
    {
        const string Chosen = "topN=40&nmsThreshold=0.3&scoreThreshold=0.2";
        await using var explorer = await OpenAsync();
        await explorer.Page.GetByText("Other numbers").ClickAsync();
        await explorer.Page.GetByLabel("At most").FillAsync("40");
        await explorer.Page.GetByLabel("Removed above an overlap of").FillAsync("0.3");
        await explorer.Page.GetByLabel("Objectness at least").FillAsync("0.2");
        await LookAgainAsync(explorer);
        var proposals = (await Client.ProposeAsync(Smear, Chosen)).GetProperty("proposals").EnumerateArray().ToArray();
        Assert.InRange(proposals.Length, 2, 40);
        await Assertions.Expect(explorer.Page.Locator(".filters .value"))
            .ToHaveTextAsync($"{proposals.Length} of {proposals.Length}");
        await AssertDrawnAsync(explorer, proposals);
        Assert.Equal($"/proposals?model=blood-cells&{Chosen}", explorer.Stages[^1]);

        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Back to the usual" }).ClickAsync();
        await Assertions.Expect(explorer.Page.Locator(".filters .value")).Not.ToContainTextAsync(
            $"of {proposals.Length}");
        Assert.Equal("/proposals?model=blood-cells", explorer.Stages[^1]);
        Assert.Equal(3, explorer.Stages.Count);
    }

    [Theory]
    [InlineData("At most", "0", "1")]
    [InlineData("At most", "1.5", "1000")]
    [InlineData("Removed above an overlap of", "1.01", "0.55")]
    [InlineData("Objectness at least", "-0.1", "0")]
    public async Task Numbers_OutOfRange_AreNotSent(string field, string wrong, string right)
    {
        await using var explorer = await OpenAsync();
        await explorer.Page.GetByText("Other numbers").ClickAsync();
        var input = explorer.Page.GetByLabel(field);
        await input.FillAsync(wrong);
        await LookAgainAsync(explorer);
        await Assertions.Expect(input).ToBeFocusedAsync();
        Assert.Single(explorer.Stages);
        await input.FillAsync(right);
        Assert.True(await input.EvaluateAsync<bool>("input => input.checkValidity()"));
    }

    [Fact]
    public async Task Request_OfProposals_IsShownAndTakenAlong()
    {
        await using var explorer = await OpenAsync();
        await explorer.Page.GetByText("Other numbers").ClickAsync();
        await explorer.Page.GetByLabel("At most").FillAsync("25");
        await LookAgainAsync(explorer);
        await Assertions.Expect(explorer.Page.Locator(".filters .value")).ToHaveTextAsync("25 of 25");
        await explorer.OpenTabAsync("Request");
        await Assertions.Expect(explorer.Page.Locator("pre.code")).ToHaveTextAsync(
            $"curl \\\n  --data-binary '@cells.jpg' \\\n  '{fixture.Service.Address}proposals?topN=25'");
        await Assertions.Expect(explorer.Page.Locator(".stages dl > div")).ToHaveCountAsync(6);
        await Assertions.Expect(explorer.Page.GetByText("answered by blood-cells 1 in")).ToBeVisibleAsync();

        var (name, bytes) = await explorer.DownloadAsync("JSON");
        Assert.Equal("cells.proposals.json", name);
        using var downloaded = JsonDocument.Parse(bytes);
        var expected = await Client.ProposeAsync(Smear, "topN=25");
        Assert.Equal(expected.EnumerateObject().Select(part => part.Name), downloaded.RootElement.EnumerateObject()
            .Select(part => part.Name));
        foreach (var part in new[] { "model", "modelVersion", "image", "proposals" })
        {
            Assert.True(JsonElement.DeepEquals(
                expected.GetProperty(part), downloaded.RootElement.GetProperty(part)), part);
        }

        (name, bytes) = await explorer.DownloadAsync("COCO");
        Assert.Equal("cells.proposals.coco.json", name);
        using var response = await Client.PostProposalsAsync(Smear, "topN=25&format=coco");
        Assert.Equal(await response.Content.ReadAsByteArrayAsync(Cancel), bytes);
    }

    [Fact]
    public async Task Picture_DroppedMeanwhile_IsAskedForDetectionsOnlyWhenTheyAreShown()
    {
        await using var explorer = await OpenAsync();
        await explorer.DropAsync(("alpha.png", MadeImages.Read("alpha-300x400.png")));
        await Assertions.Expect(explorer.Page.Locator(".gallery li.done")).ToHaveCountAsync(2);
        Assert.Equal(2, explorer.Stages.Count);
        Assert.Single(explorer.Detects);
        await Assertions.Expect(explorer.Page.GetByRole(AriaRole.Status)).ToContainTextAsync("proposals.");

        await explorer.AskAsync("Detect");
        await Assertions.Expect(explorer.Page.Locator("#shown-count")).ToBeVisibleAsync();
        Assert.Equal(2, explorer.Detects.Count);

        // Both answers of both pictures are kept.
        await explorer.AskAsync("Proposals alone");
        await Assertions.Expect(explorer.Page.Locator(".proposals path").First).ToBeVisibleAsync();
        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "cells.jpg" }).First.ClickAsync();
        await Assertions.Expect(explorer.Page.Locator(".proposals path").First).ToBeVisibleAsync();
        await explorer.AskAsync("Detect");
        await explorer.Boxes.First.WaitForAsync();
        Assert.Equal((2, 2), (explorer.Stages.Count, explorer.Detects.Count));
    }

    [Fact]
    public async Task Proposals_WhileDetectionsAreAwaited_AreAskedForInTheirPlace()
    {
        await using var explorer = await fixture.OpenAsync();

        // Nothing that asks for detections is answered.
        await explorer.Page.RouteAsync("**/detect*", _ => Task.CompletedTask);
        await explorer.DropAsync(("cells.jpg", Smear));
        await Assertions.Expect(explorer.Page.Locator(".progress")).ToBeVisibleAsync();
        await explorer.AskAsync("Proposals alone");
        await explorer.Page.Locator(".proposals path").First.WaitForAsync();
        await Assertions.Expect(explorer.Page.Locator(".progress")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Stages_OfAModelInOneGraph_AreNotAskedAndThePageSaysWhy()
    {
        using var models = new ModelFolder();
        models.Add();
        EndToEndPackage.WriteTo(models.Path);
        using var service = new RunningService(
            ("Fpn:Models:Path", models.Path), ("Fpn:Batching:MaxBatchSize", "1"));
        await using var explorer = await fixture.OpenAsync(service.Address);
        await explorer.DropAsync(("cells.jpg", Smear));
        await explorer.Boxes.First.WaitForAsync();
        await explorer.AskAsync("Proposals alone");
        await explorer.Page.Locator(".proposals path").First.WaitForAsync();

        var choice = explorer.Page.GetByRole(AriaRole.Combobox, new() { Name = "Model" });
        await choice.SelectOptionAsync("constant");
        await Assertions.Expect(explorer.Page.Locator(".empty")).ToContainTextAsync(
            "The model constant is one graph with everything inside: its stages cannot be asked alone.");
        await Assertions.Expect(explorer.Page.Locator(".proposals path")).ToHaveCountAsync(0);
        await explorer.AskAsync("Draw boxes");
        await Assertions.Expect(explorer.Page.Locator(".empty")).ToContainTextAsync("cannot be asked alone");
        await Assertions.Expect(explorer.Page.Locator(".frame.drawing")).ToHaveCountAsync(0);
        await Assertions.Expect(explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Draw", Exact = true }))
            .ToHaveCountAsync(0);
        await Assertions.Expect(explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Add a box" }))
            .ToHaveCountAsync(0);
        Assert.Equal(["/proposals?model=blood-cells"], explorer.Stages);

        // Another model can be asked again.
        await choice.SelectOptionAsync("blood-cells");
        await Assertions.Expect(explorer.Page.Locator(".frame.drawing")).ToBeVisibleAsync();
        await explorer.AskAsync("Proposals alone");
        await explorer.Page.Locator(".proposals path").First.WaitForAsync();
    }

    private static Task LookAgainAsync(ExplorerPage explorer) =>
        explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Look again" }).ClickAsync();

    private static string Level(JsonElement proposal) => proposal.GetProperty("level").GetString()!;

    /// <summary>Asserts that these are drawn, those of each level in this order.</summary>
    private static async Task AssertDrawnAsync(ExplorerPage explorer, IEnumerable<JsonElement> proposals)
    {
        var expected = proposals.GroupBy(Level).ToDictionary(
            level => level.Key, level => level.Select(proposal => proposal.Corners()).ToArray());
        var drawn = await DrawnAsync(explorer);
        Assert.Equal(expected.Keys.Order(), drawn.Keys.Order());
        foreach (var (level, boxes) in expected)
        {
            Assert.Equal(boxes.Length, drawn[level].Length);

            // Paths are written to a tenth of a pixel of the frame.
            Assert.All(boxes.Zip(drawn[level]), pair => Assert.All(
                pair.First.Zip(pair.Second), corner => Assert.Equal(corner.First, corner.Second, 0.2)));
        }
    }

    /// <summary>The proposals over the picture in its pixels, by level.</summary>
    private static Task<Dictionary<string, double[][]>> DrawnAsync(ExplorerPage explorer) =>
        explorer.Page.EvaluateAsync<Dictionary<string, double[][]>>(
            """
            () => {
              const picture = new DOMMatrix(getComputedStyle(document.querySelector('.picture')).transform);
              const boxes = path =>
                [...path.getAttribute('d').matchAll(/M([-\d.]+) ([-\d.]+)h([\d.]+)v([\d.]+)/g)].map(found => {
                  const [x, y, width, height] = found.slice(1).map(Number);
                  const [left, top] = [(x - picture.e) / picture.a, (y - picture.f) / picture.a];
                  return [left, top, left + width / picture.a, top + height / picture.a];
                });
              return Object.fromEntries(
                [...document.querySelectorAll('.proposals path')].map(path => [path.dataset.level, boxes(path)]));
            }
            """);

    private async Task<ExplorerPage> OpenAsync()
    {
        var explorer = await fixture.OpenAsync();
        await explorer.DropAsync(("cells.jpg", Smear));
        await explorer.Boxes.First.WaitForAsync();
        await explorer.AskAsync("Proposals alone");
        await explorer.Page.Locator(".proposals path").First.WaitForAsync();
        return explorer;
    }
}
