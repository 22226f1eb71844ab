using Microsoft.Playwright;

namespace Fpn.Explorer.Tests;

/// <summary>The page for those who use no mouse, see badly, or hold a telephone.</summary>
[Collection(ExplorerFixture.Collection)]
public sealed class AccessTests(ExplorerFixture fixture)
{
    [Theory]
    [InlineData("wide-light", 1440, 900, false)]
    [InlineData("wide-dark", 1440, 900, true)]
    [InlineData("phone-light", 390, 844, false)]
    [InlineData("phone-dark", 390, 844, true)]
    public async Task Views_EachSizeAndScheme_FitAndAxeFindsNothingSerious(
        string name, int width, int height, bool dark)
    {
        await using var explorer =
            await fixture.OpenAsync(width: width, height: height, dark: dark, touch: width < 500);
        await ServerViewTests.RouteMetricsAsync(explorer, () => ServerViewTests.Metrics(120, 60, 80, 110, 120));
        await CheckAsync("start");
        await explorer.UseSampleAsync();
        await explorer.Rows.Nth(2).HoverAsync();
        await CheckAsync("detections");
        await ViewChoiceTests.OpenChoiceAsync(explorer);
        await explorer.Page.GetByRole(AriaRole.Checkbox, new() { Name = "Cut into slices" }).CheckAsync();
        await CheckAsync("views");
        await explorer.Page.GetByText("More than one look").ClickAsync();
        await explorer.OpenTabAsync("How it decided");
        await explorer.Page.Locator(".proposals path").First.WaitForAsync();
        await CheckAsync("proposals");
        await explorer.Page.Locator(".picker select").SelectOptionAsync("1");
        await explorer.Page.Locator(".chain").WaitForAsync();
        await CheckAsync("decision");
        await explorer.OpenTabAsync("Request");
        await CheckAsync("request");
        await explorer.AskAsync("Proposals alone");
        await explorer.Page.GetByText("Other numbers").ClickAsync();
        await explorer.OpenTabAsync("Proposals");
        await explorer.Page.Locator(".proposals path").First.WaitForAsync();
        await CheckAsync("proposals-alone");
        await explorer.AskAsync("Draw boxes");
        await explorer.DrawAsync(200, 150, 300, 260);
        await CheckAsync("regions");
        await ServerViewTests.OpenServerAsync(explorer);
        await explorer.Page.Locator(".card").WaitForAsync();
        await CheckAsync("server");

        async Task CheckAsync(string state)
        {
            await explorer.ShootAsync($"{name}-{state}", whole: width < 500);
            await explorer.AssertFitsAsync();
            await explorer.AssertAccessibleAsync($"{name} {state}");
        }
    }

    [Fact]
    public async Task Keyboard_Alone_GetsFromSampleToDecision()
    {
        await using var explorer = await fixture.OpenAsync();
        var keyboard = explorer.Page.Keyboard;
        await TabToAsync(explorer, "smear");
        await keyboard.PressAsync("Enter");
        await explorer.Boxes.First.WaitForAsync();

        // The picture: plus zooms, arrows move.
        await TabToAsync(explorer, "smear.jpg. Plus and minus zoom, arrows move, zero shows all.");
        var scale = await explorer.Page.Locator(".tools .scale").InnerTextAsync();
        await keyboard.PressAsync("+");
        await Assertions.Expect(explorer.Page.Locator(".tools .scale")).Not.ToHaveTextAsync(scale);
        var place = await explorer.Page.Locator(".picture").GetAttributeAsync("style");
        await keyboard.PressAsync("ArrowRight");
        await Assertions.Expect(explorer.Page.Locator(".picture")).Not.ToHaveAttributeAsync("style", place!);
        await keyboard.PressAsync("0");
        await Assertions.Expect(explorer.Page.Locator(".tools .scale")).ToHaveTextAsync(scale);

        // The next stop is the best box; arrows go on to the others, and the table follows.
        await keyboard.PressAsync("Tab");
        await Assertions.Expect(explorer.Page.Locator(".box:focus")).ToHaveAttributeAsync("data-index", "0");
        await keyboard.PressAsync("ArrowDown");
        await keyboard.PressAsync("ArrowRight");
        await Assertions.Expect(explorer.Page.Locator(".box:focus")).ToHaveAttributeAsync("data-index", "2");
        await Assertions.Expect(explorer.Page.Locator("tr.pointed")).ToHaveAttributeAsync("data-index", "2");

        // A row, and back to the picture.
        await TabToAsync(explorer, "RBC");
        await keyboard.PressAsync("ArrowDown");
        await Assertions.Expect(explorer.Page.Locator(".box.pointed")).ToHaveAttributeAsync("data-index", "1");
        await keyboard.PressAsync("Enter");
        await Assertions.Expect(explorer.Page.Locator(".chain > li")).ToHaveCountAsync(4);
        await Assertions.Expect(explorer.Page.GetByRole(AriaRole.Tab, new() { Name = "How it decided" }))
            .ToHaveAttributeAsync("aria-selected", "true");

        // Tabs by arrows.
        await TabToAsync(explorer, "How it decided");
        await keyboard.PressAsync("ArrowRight");
        await Assertions.Expect(explorer.Page.GetByRole(AriaRole.Tab, new() { Name = "Request" })).ToBeFocusedAsync();
        await Assertions.Expect(explorer.Page.Locator("pre.code")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Status_AnswerArrived_IsSaid()
    {
        await using var explorer = await fixture.OpenAsync();
        await explorer.UseSampleAsync();
        await Assertions.Expect(explorer.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("smear.jpg: 21 found.");
    }

    [Fact]
    public async Task Colors_Toggled_StayAfterAReload()
    {
        await using var explorer = await fixture.OpenAsync(dark: true);
        var ground = "() => getComputedStyle(document.documentElement).backgroundColor";
        var dark = await explorer.Page.EvaluateAsync<string>(ground);
        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Colors: auto" }).ClickAsync();
        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Colors: light" }).WaitForAsync();
        var light = await explorer.Page.EvaluateAsync<string>(ground);
        Assert.NotEqual(dark, light);
        await explorer.Page.ReloadAsync();
        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Colors: light" }).WaitForAsync();
        Assert.Equal(light, await explorer.Page.EvaluateAsync<string>(ground));
    }

    /// <summary>Presses Tab until something of this name has the focus.</summary>
    internal static async Task TabToAsync(ExplorerPage explorer, string name)
    {
        List<string> passed = [];
        for (var i = 0; i < 60; i++)
        {
            await explorer.Page.Keyboard.PressAsync("Tab");
            var focused = await explorer.Page.EvaluateAsync<string>(
                "() => (document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText ?? "
                    + "'').trim()");
            if (focused == name)
            {
                return;
            }

            passed.Add(focused);
        }

        Assert.Fail($"Tab never reached '{name}', only: {string.Join(" | ", passed)}");
    }
}
