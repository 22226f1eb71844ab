using System.Globalization;
using System.Text.Json;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Microsoft.Playwright;

namespace Fpn.Explorer.Tests;

/// <summary>"How it decided" shows what <c>explain=true</c> tells.</summary>
[Collection(ExplorerFixture.Collection)]
public sealed class DecisionViewTests(ExplorerFixture fixture)
{
    private static readonly byte[] Smear = MadeImages.Read("smear-480x640.jpg");

    [Fact]
    public async Task Proposals_SliderAndLevels_ShowTheBestOfEachLevel()
    {
        var proposals = await ProposalsAsync();
        await using var explorer = await OpenAsync();
        Assert.Equal([false, true], explorer.Detects.Select(
            url => url.Query.Contains("explain=true", StringComparison.Ordinal)));

        foreach (var count in new[] { 10, 400, proposals.Length, 0 })
        {
            await explorer.SlideAsync("Proposals shown", count);
            var expected = proposals.Take(count).CountBy(level => level).ToDictionary();
            Assert.Equal(expected, await DrawnAsync(explorer));
        }

        await explorer.SlideAsync("Proposals shown", proposals.Length);
        await explorer.Page.GetByRole(AriaRole.Checkbox, new() { Name = "P2" }).UncheckAsync();
        Assert.Equal(
            proposals.Where(level => level != "p2").CountBy(level => level).ToDictionary(), await DrawnAsync(explorer));
        Assert.Equal(2, explorer.Detects.Count);
    }

    [Fact]
    public async Task Proposals_Levels_HaveColorsOfTheirOwn()
    {
        await using var explorer = await OpenAsync();
        await explorer.SlideAsync("Proposals shown", 1000);
        var colors = await explorer.Page.Locator(".proposals path")
            .EvaluateAllAsync<string[]>("paths => paths.map(path => path.getAttribute('stroke'))");
        Assert.True(colors.Length >= 4, $"{colors.Length} levels");
        Assert.Equal(colors.Length, colors.Distinct().Count());
    }

    [Fact]
    public async Task Detection_Chosen_ShowsAnchorProposalAndWhatWasRemoved()
    {
        var answer = await fixture.Service.Client.DetectAsync(Smear, "explain=true&scoreThreshold=0.5");
        var origins = answer.GetProperty("explain").GetProperty("detections");
        var chosen = origins.EnumerateArray().Select(origin => origin.GetProperty("suppressed").GetArrayLength())
            .ToList().FindIndex(count => count > 1);
        Assert.True(chosen >= 0);
        var (origin, detection) = (origins[chosen], answer.GetProperty("detections")[chosen]);

        await using var explorer = await OpenAsync();
        await explorer.Page.Locator(".picker select").SelectOptionAsync(chosen.ToString(CultureInfo.InvariantCulture));
        var steps = explorer.Page.Locator(".chain > li");
        await Assertions.Expect(steps).ToHaveCountAsync(4);
        await Assertions.Expect(steps.Nth(0))
            .ToContainTextAsync($"Anchor on {origin.GetProperty("anchor").GetProperty("level").GetString()}");
        await Assertions.Expect(steps.Nth(0))
            .ToContainTextAsync($"Size {origin.GetProperty("anchor").GetProperty("size").GetRawText()},");
        await Assertions.Expect(steps.Nth(1))
            .ToContainTextAsync($"number {origin.GetProperty("proposalIndex").GetInt32() + 1} of");
        await Assertions.Expect(steps.Nth(2)).ToContainTextAsync(detection.GetProperty("label").GetString()!);
        await Assertions.Expect(steps.Nth(2)).ToContainTextAsync($"on {detection.GetProperty("level").GetString()}");
        await Assertions.Expect(steps.Nth(3).Locator("tbody tr"))
            .ToHaveCountAsync(origin.GetProperty("suppressed").GetArrayLength());

        // And in the picture, where they belong.
        await Assertions.Expect(explorer.Page.Locator(".overlay > .removed"))
            .ToHaveCountAsync(origin.GetProperty("suppressed").GetArrayLength());
        Assert.Equal(Sides(origin.GetProperty("anchor")), await explorer.ReadRectangleAsync(".origin .anchor"), Near);
        Assert.Equal(
            Sides(origin.GetProperty("proposal")), await explorer.ReadRectangleAsync(".origin .proposal"), Near);
        await explorer.ShootAsync("decision-one");

        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "All proposals" }).ClickAsync();
        await Assertions.Expect(explorer.Page.Locator(".proposals path").First).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Histograms_Bars_CountDetectionsAndProposals()
    {
        var answer = await fixture.Service.Client.DetectAsync(Smear, "explain=true&scoreThreshold=0.5");
        await using var explorer = await OpenAsync();
        var tables = explorer.Page.Locator(".histogram table");
        await Assertions.Expect(tables).ToHaveCountAsync(2);
        Assert.Equal(answer.Detections().Length, await SumAsync(0));
        Assert.Equal(answer.GetProperty("explain").GetProperty("proposals").GetArrayLength(), await SumAsync(1));

        async Task<int> SumAsync(int table) => (await tables.Nth(table).Locator("td").AllTextContentsAsync())
            .Sum(text => int.Parse(text, CultureInfo.InvariantCulture));
    }

    private static bool Near(double expected, double actual) => Math.Abs(expected - actual) < 0.01;

    private async Task<ExplorerPage> OpenAsync()
    {
        var explorer = await fixture.OpenAsync();
        await explorer.DropAsync(("cells.jpg", Smear));
        await explorer.Boxes.First.WaitForAsync();
        await explorer.OpenTabAsync("How it decided");
        await explorer.Page.Locator(".proposals path").First.WaitForAsync();
        return explorer;
    }

    private async Task<string[]> ProposalsAsync() =>
        [.. (await fixture.Service.Client.DetectAsync(Smear, "explain=true")).GetProperty("explain")
            .GetProperty("proposals").EnumerateArray()
            .Select(proposal => proposal.GetProperty("level").GetString()!)];

    /// <summary>Boxes drawn, by level: each begins with a move.</summary>
    private static async Task<Dictionary<string, int>> DrawnAsync(ExplorerPage explorer) =>
        (await explorer.Page.EvaluateAsync<Dictionary<string, int>>(
            "() => Object.fromEntries([...document.querySelectorAll('.proposals path')].map(path => "
                + "[path.dataset.level, path.getAttribute('d').split('M').length - 1]))"));

    private static double[] Sides(JsonElement item) =>
        [.. item.GetProperty("box").EnumerateObject().Select(side => side.Value.GetDouble())];
}
