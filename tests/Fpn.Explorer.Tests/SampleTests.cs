using Fpn.Testing.Running;
using Microsoft.Playwright;

namespace Fpn.Explorer.Tests;

/// <summary>The samples, as a newcomer meets them: the service with all its models.</summary>
[Collection(ExplorerFixture.Collection)]
public sealed class SampleTests(ExplorerFixture fixture) : IDisposable
{
    private readonly RunningService _service = RunningService.AsShipped();

    public void Dispose() => _service.Dispose();

    [Fact]
    public async Task Samples_OfEachModel_AreAnsweredByIt()
    {
        await using var explorer = await fixture.OpenAsync(_service.Address);
        await Assertions.Expect(explorer.Page.Locator(".sample span")).ToHaveTextAsync(
            ["astronaut", "cameraman", "cat", "smear", "smear-wide"]);

        // The default model's first: one click, and there is a person.
        await ChooseAsync(explorer, "astronaut");
        await Assertions.Expect(explorer.Rows.First).ToContainTextAsync("person");
        await Assertions.Expect(Model(explorer)).ToHaveValueAsync("everyday");
        await explorer.ShootAsync("sample-astronaut");
        await explorer.AssertAccessibleAsync("20 classes");
        await RemoveAsync(explorer, "astronaut");

        await ChooseAsync(explorer, "cat");
        await Assertions.Expect(explorer.Rows.First).ToContainTextAsync("cat");
        await explorer.ShootAsync("sample-cat");
        await RemoveAsync(explorer, "cat");

        // Another model's sample brings its model along, and the next one goes back.
        await ChooseAsync(explorer, "smear");
        await Assertions.Expect(explorer.Rows.First).ToContainTextAsync("RBC");
        await Assertions.Expect(Model(explorer)).ToHaveValueAsync("blood-cells");
        await RemoveAsync(explorer, "smear");
        await ChooseAsync(explorer, "cameraman");
        await Assertions.Expect(explorer.Rows.First).ToContainTextAsync("person");
        await Assertions.Expect(Model(explorer)).ToHaveValueAsync("everyday");

        // No picture was asked about twice, nor of the wrong model.
        Assert.Equal(
            ["?model=everyday", "?model=everyday", "?model=blood-cells", "?model=everyday"],
            explorer.Detects.Select(url => url.Query));
    }

    [Fact]
    public async Task Samples_OfAModelThatIsNotServed_AreNotOffered()
    {
        await using var explorer = await fixture.OpenAsync();
        await Assertions.Expect(explorer.Page.Locator(".sample span")).ToHaveTextAsync(["smear", "smear-wide"]);
    }

    private static ILocator Model(ExplorerPage explorer) =>
        explorer.Page.GetByRole(AriaRole.Combobox, new() { Name = "Model" });

    private static async Task ChooseAsync(ExplorerPage explorer, string sample)
    {
        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = sample, Exact = true }).ClickAsync();
        await explorer.Boxes.First.WaitForAsync();
    }

    private static Task RemoveAsync(ExplorerPage explorer, string sample) =>
        explorer.Page.GetByRole(AriaRole.Button, new() { Name = $"Remove {sample}.jpg" }).ClickAsync();
}
