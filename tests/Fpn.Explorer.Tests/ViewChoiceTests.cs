using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Playwright;

namespace Fpn.Explorer.Tests;

/// <summary>More than one look at a picture: what is asked for, and how its views are shown.</summary>
[Collection(ExplorerFixture.Collection)]
public sealed class ViewChoiceTests(ExplorerFixture fixture)
{
    private const string Sliced =
        "slice=480&overlap=0.25&wholeImage=true&scales=off&flip=false&merge=ios&mergeThreshold=0.6";

    private static readonly byte[] Wide = File.ReadAllBytes(Checkout.WideImage);

    private HttpClient Client => fixture.Service.Client;

    [Fact]
    public async Task Slices_Chosen_AreAskedForAndOutlined()
    {
        await using var explorer = await OpenAsync();
        await Assertions.Expect(explorer.Page.Locator("#view-count")).ToHaveTextAsync("off");
        await ChooseSlicesAsync(explorer);

        var answer = await Client.DetectAsync(Wide, $"explain=true&scoreThreshold=0.5&{Sliced}");
        var views = answer.GetProperty("explain").GetProperty("views").EnumerateArray().ToArray();
        Assert.True(views.Length > 4, $"{views.Length} views prove little");
        await Assertions.Expect(explorer.Page.Locator("#view-count"))
            .ToHaveTextAsync(new Regex($@"^{views.Length} views in [\d.]+ m?s$"));
        await Assertions.Expect(explorer.Page.Locator(".views-choice"))
            .ToContainTextAsync($"The whole picture and {views.Length - 1} slices.");
        await Assertions.Expect(explorer.Page.GetByRole(AriaRole.Status))
            .ToContainTextAsync($"found in {views.Length} views.");
        await DetectionViewTests.AssertTableAsync(
            explorer, [.. answer.GetProperty("detections").EnumerateArray()]);
        Assert.Equal(Parameters($"?model=blood-cells&explain=true&{Sliced}"), Parameters(explorer.Detects[^1].Query));

        // Every region is outlined, and none after that was switched off.
        Assert.Equal(
            views.Select(view => Rounded(Sides(view.GetProperty("region")))).Order(),
            (await OutlinesAsync(explorer)).Select(Rounded).Order());
        await explorer.ShootAsync("views-slices");
        await explorer.Page.GetByRole(AriaRole.Checkbox, new() { Name = "Outline the views" }).UncheckAsync();
        await Assertions.Expect(explorer.Page.Locator(".views")).ToHaveCountAsync(0);
        Assert.Equal(2, explorer.Detects.Count);
    }

    [Fact]
    public async Task Detection_FoundInSeveralViews_ShowsItsViewAndWhatWasMerged()
    {
        await using var explorer = await OpenAsync();
        await ChooseSlicesAsync(explorer);
        var answer = await Client.DetectAsync(Wide, $"explain=true&scoreThreshold=0.5&{Sliced}");
        var explain = answer.GetProperty("explain");
        var views = explain.GetProperty("views");
        var origins = explain.GetProperty("detections").EnumerateArray().ToList();
        var index = origins.FindIndex(
            origin => origin.GetProperty("merged").GetArrayLength() > 0 && origin.GetProperty("view").GetInt32() > 0);
        Assert.True(index >= 0);
        var (view, merged) = (origins[index].GetProperty("view").GetInt32(), origins[index].GetProperty("merged"));
        var region = views[view].GetProperty("region");

        // The table points it out; the decision keeps it there, with what was merged.
        await explorer.Rows.Nth(index).HoverAsync();
        Assert.Equal(Sides(region), await explorer.ReadRectangleAsync(".views .found"), Near);
        await explorer.OpenTabAsync("How it decided");
        await explorer.Page.Locator(".picker select").SelectOptionAsync(index.ToString(CultureInfo.InvariantCulture));
        Assert.Equal(Sides(region), await explorer.ReadRectangleAsync(".views .found"), Near);
        var steps = explorer.Page.Locator(".chain > li");
        await Assertions.Expect(steps).ToHaveCountAsync(6);
        await Assertions.Expect(steps.First).ToContainTextAsync(string.Create(
            CultureInfo.InvariantCulture, $"View {view + 1} of {views.GetArrayLength()}: 480 × 480 at "));
        var rows = steps.Last.Locator("tbody tr");
        await Assertions.Expect(rows).ToHaveCountAsync(merged.GetArrayLength());
        await Assertions.Expect(rows.First.Locator("td").Nth(1)).ToHaveTextAsync(
            (merged[0].GetProperty("view").GetInt32() + 1).ToString(CultureInfo.InvariantCulture));
        await Assertions.Expect(explorer.Page.Locator(".overlay > .merged"))
            .ToHaveCountAsync(merged.GetArrayLength());
        Assert.Equal(
            Sides(merged[0].GetProperty("box")), await explorer.ReadRectangleAsync(".overlay > .merged"), Near);

        // The explanation was there already.
        Assert.Equal(2, explorer.Detects.Count);
        await explorer.ShootAsync("views-decision");
    }

    [Fact]
    public async Task Proposals_OfSeveralViews_AreDrawnBestFirst()
    {
        await using var explorer = await OpenAsync();
        await ChooseSlicesAsync(explorer);
        await explorer.OpenTabAsync("How it decided");
        await explorer.SlideAsync("Proposals shown", 30);
        var proposals = (await Client.DetectAsync(Wide, $"explain=true&{Sliced}")).GetProperty("explain")
            .GetProperty("proposals").EnumerateArray();
        var best = proposals.OrderByDescending(proposal => proposal.GetProperty("objectness").GetDouble())
            .Take(30).CountBy(proposal => proposal.GetProperty("level").GetString()!).ToDictionary();
        Assert.Equal(best, await explorer.Page.EvaluateAsync<Dictionary<string, int>>(
            "() => Object.fromEntries([...document.querySelectorAll('.proposals path')].map(path => "
                + "[path.dataset.level, path.getAttribute('d').split('M').length - 1]))"));
    }

    [Fact]
    public async Task Command_OfScalesAndMirrorImages_AsksForTheSame()
    {
        await using var explorer = await OpenAsync();
        await OpenChoiceAsync(explorer);
        await explorer.Page.GetByLabel("Sizes to look at it in").FillAsync("256, 384");
        await explorer.Page.GetByRole(AriaRole.Checkbox, new() { Name = "Mirrored too" }).CheckAsync();
        await explorer.Page.GetByLabel("Boxes of the same thing").SelectOptionAsync("voting");
        await LookAgainAsync(explorer);
        await Assertions.Expect(explorer.Page.Locator("#view-count")).ToContainTextAsync("4 views in ");
        await Assertions.Expect(explorer.Page.Locator(".views-choice"))
            .ToContainTextAsync("The whole picture, in 2 sizes, each as it is and mirrored.");

        await explorer.OpenTabAsync("Request");
        await Assertions.Expect(explorer.Page.GetByText("looked at in 4 views, at most")).ToBeVisibleAsync();
        const string Chosen = "slice=off&scales=256%2C384&flip=true&merge=voting";
        await Assertions.Expect(explorer.Page.Locator("pre.code"))
            .ToContainTextAsync($"detect?scoreThreshold=0.5&{Chosen}'");
        var (_, bytes) = await explorer.DownloadAsync("COCO");
        using var response = await Client.PostDetectAsync(Wide, $"format=coco&scoreThreshold=0.5&{Chosen}");
        Assert.Equal(await response.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken), bytes);

        // Back to the usual: nothing of it is left.
        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Back to the usual" }).ClickAsync();
        await Assertions.Expect(explorer.Page.Locator("#view-count")).ToHaveTextAsync("off");
        await Assertions.Expect(explorer.Page.Locator("pre.code")).ToContainTextAsync("detect?scoreThreshold=0.5'");
        await Assertions.Expect(explorer.Page.GetByRole(AriaRole.Checkbox, new() { Name = "Mirrored too" }))
            .Not.ToBeCheckedAsync();
        Assert.Equal("?model=blood-cells", explorer.Detects[^1].Query);
    }

    [Theory]
    [InlineData("Size, in pixels", "31", "64 x 64")]
    [InlineData("Size, in pixels", "640x480x3", "480×640")]
    [InlineData("Sizes to look at it in", "480; 800", "480 800")]
    [InlineData("Sizes to look at it in", "16385", "")]
    [InlineData("The same from an overlap of", "1.5", "0.123")]
    public async Task Fields_OutOfRange_AreNotSent(string field, string wrong, string right)
    {
        await using var explorer = await OpenAsync();
        await OpenChoiceAsync(explorer);
        await explorer.Page.GetByRole(AriaRole.Checkbox, new() { Name = "Cut into slices" }).CheckAsync();
        var input = explorer.Page.GetByLabel(field);
        await input.FillAsync(wrong);
        Assert.False(await input.EvaluateAsync<bool>("input => input.checkValidity()"));
        await LookAgainAsync(explorer);
        await Assertions.Expect(input).ToBeFocusedAsync();
        Assert.Single(explorer.Detects);
        await input.FillAsync(right);
        Assert.True(await input.EvaluateAsync<bool>("input => input.checkValidity()"));
    }

    [Fact]
    public async Task Slices_TooMany_SaysWhatToDoAndCanBeMended()
    {
        await using var explorer = await fixture.OpenAsync();
        explorer.Expect("status of 413");
        await explorer.DropAsync(("cells.jpg", Wide));
        await explorer.Boxes.First.WaitForAsync();
        await ChooseSlicesAsync(explorer, "32");
        await Assertions.Expect(explorer.Fault).ToContainTextAsync("too many views");
        await Assertions.Expect(explorer.Fault).ToContainTextAsync("larger slices");
        await Assertions.Expect(explorer.Fault.GetByRole(AriaRole.Button)).ToHaveCountAsync(0);
        await explorer.Page.GetByLabel("Size, in pixels").FillAsync("600x640");
        await LookAgainAsync(explorer);
        await Assertions.Expect(explorer.Page.Locator("#view-count")).ToContainTextAsync(" views in ");
        await Assertions.Expect(explorer.Fault).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Package_WithViewsOfItsOwn_TakesThemUnlessTheyAreSwitchedOff()
    {
        using var models = new ModelFolder();
        models.Add(manifest: text => text.Replace(
            "\"layout\":", "\"views\": { \"flip\": true }, \"layout\":", StringComparison.Ordinal));
        using var service = new RunningService(
            ("Fpn:Models:Path", models.Path), ("Fpn:Batching:MaxBatchSize", "2"));
        await using var explorer = await fixture.OpenAsync(service.Address);
        await explorer.UseSampleAsync();
        await Assertions.Expect(explorer.Page.Locator("#view-count")).ToContainTextAsync("2 views in ");
        Assert.Equal("?model=blood-cells", explorer.Detects[^1].Query);
        await OpenChoiceAsync(explorer);
        await LookAgainAsync(explorer);
        await Assertions.Expect(explorer.Page.Locator("#view-count")).ToHaveTextAsync("off");
        Assert.Equal("?model=blood-cells&slice=off&scales=off&flip=false", explorer.Detects[^1].Query);
    }

    [Fact]
    public async Task Choice_WhileAPictureIsSent_IsSentInItsPlace()
    {
        await using var explorer = await fixture.OpenAsync();

        // What asks for no slices is never answered.
        await explorer.Page.RouteAsync("**/detect*", route =>
            route.Request.Url.Contains("slice=", StringComparison.Ordinal)
                ? route.ContinueAsync()
                : Task.CompletedTask);
        await explorer.DropAsync(("cells.jpg", Wide));
        await Assertions.Expect(explorer.Page.Locator(".progress")).ToBeVisibleAsync();
        await ChooseSlicesAsync(explorer);
        await Assertions.Expect(explorer.Page.Locator("#view-count")).ToContainTextAsync(" views in ");
        Assert.Equal(2, explorer.Detects.Count);
    }

    /// <summary>Four are sent at a time: those that are given up make room.</summary>
    [Fact]
    public async Task Remove_WhileSent_LetsOthersThrough()
    {
        await using var explorer = await fixture.OpenAsync();

        // Nothing is answered.
        await explorer.Page.RouteAsync("**/detect*", _ => Task.CompletedTask);
        await explorer.DropAsync([.. Enumerable.Range(0, 4).Select(number => ($"{number}.jpg", Wide))]);
        await Assertions.Expect(explorer.Page.Locator(".gallery li.sending")).ToHaveCountAsync(4);
        for (var number = 0; number < 4; number++)
        {
            await explorer.Page.GetByRole(AriaRole.Button, new() { Name = $"Remove {number}.jpg" }).ClickAsync();
        }

        await explorer.Page.UnrouteAsync("**/detect*");
        await explorer.DropAsync(("last.jpg", Wide));
        await Assertions.Expect(explorer.Page.Locator(".gallery li.done")).ToHaveCountAsync(1);
    }

    /// <summary>Opens the group of the views.</summary>
    internal static async Task OpenChoiceAsync(ExplorerPage explorer)
    {
        var slices = explorer.Page.GetByRole(AriaRole.Checkbox, new() { Name = "Cut into slices" });
        await Assertions.Expect(slices).ToBeHiddenAsync();
        await explorer.Page.GetByText("More than one look").ClickAsync();
        await Assertions.Expect(slices).ToBeVisibleAsync();
    }

    private static async Task ChooseSlicesAsync(ExplorerPage explorer, string size = "480")
    {
        await OpenChoiceAsync(explorer);
        await explorer.Page.GetByRole(AriaRole.Checkbox, new() { Name = "Cut into slices" }).CheckAsync();
        await explorer.Page.GetByLabel("Size, in pixels").FillAsync(size);
        await explorer.SlideAsync("Overlap", 0.25);
        await explorer.Page.GetByLabel("Boxes of the same thing").SelectOptionAsync("ios");
        await explorer.Page.GetByLabel("The same from an overlap of").FillAsync("0.6");
        await LookAgainAsync(explorer);
        await explorer.Page.Locator("#view-count").Filter(new() { HasTextRegex = new(" views in |on") }).WaitForAsync();
    }

    private static Task LookAgainAsync(ExplorerPage explorer) =>
        explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Look again" }).ClickAsync();

    private static Dictionary<string, string> Parameters(string query) =>
        QueryHelpers.ParseQuery(query).ToDictionary(pair => pair.Key, pair => pair.Value.ToString());

    private static bool Near(double expected, double actual) => Math.Abs(expected - actual) < 0.01;

    private static double[] Sides(JsonElement box) =>
        [.. box.EnumerateObject().Select(side => side.Value.GetDouble())];

    private static string Rounded(double[] sides) => string.Join(' ', sides.Select(side => Math.Round(side) + 0));

    /// <summary>The outlines of views in pixels of the picture, as the path says them.</summary>
    private static Task<double[][]> OutlinesAsync(ExplorerPage explorer) => explorer.Page.EvaluateAsync<double[][]>(
        """
        () => {
          const picture = new DOMMatrix(getComputedStyle(document.querySelector('.picture')).transform);
          const path = document.querySelector('.views .line').getAttribute('d');
          return [...path.matchAll(/M([-\d.]+) ([-\d.]+)h([\d.]+)v([\d.]+)/g)].map(found => {
            const [x, y, width, height] = found.slice(1).map(Number);
            const [left, top] = [(x - picture.e) / picture.a, (y - picture.f) / picture.a];
            return [left, top, left + width / picture.a, top + height / picture.a];
          });
        }
        """);

    private async Task<ExplorerPage> OpenAsync()
    {
        var explorer = await fixture.OpenAsync();
        await explorer.DropAsync(("cells.jpg", Wide));
        await explorer.Boxes.First.WaitForAsync();
        return explorer;
    }
}
