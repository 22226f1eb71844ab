using System.Globalization;
using System.Text.Json;
using Fpn.Testing.Running;
using Microsoft.Playwright;

namespace Fpn.Explorer.Tests;

/// <summary>The page as a user sees it. At its end it must have caused no error and asked no other host.</summary>
internal sealed class ExplorerPage : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly List<string> _complaints = [];
    private readonly List<string> _expected = [];

    private ExplorerPage(IBrowserContext context, IPage page, Uri address)
    {
        (_context, Page) = (context, page);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                _complaints.Add($"{message.Type}: {message.Text}");
            }
        };
        page.PageError += (_, error) => _complaints.Add($"exception: {error}");
        page.Request += (_, request) =>
        {
            var url = new Uri(request.Url);
            if (url.Scheme is "http" or "https" or "ws" or "wss")
            {
                if (url.Authority != address.Authority)
                {
                    _complaints.Add($"another host: {url}");
                }

                if (url.AbsolutePath.EndsWith("/detect", StringComparison.Ordinal))
                {
                    Detects.Add(url);
                }
                else if (url.AbsolutePath is "/proposals" or "/regions")
                {
                    Stages.Add(url.PathAndQuery);
                }
            }
        };
    }

    /// <summary>The browser's page.</summary>
    public IPage Page { get; }

    /// <summary>Requests to <c>/detect</c> so far.</summary>
    public List<Uri> Detects { get; } = [];

    /// <summary>Path and query of the requests to one stage alone so far.</summary>
    public List<string> Stages { get; } = [];

    /// <summary>The rows of the table.</summary>
    public ILocator Rows => Page.Locator(".rows tbody tr");

    /// <summary>The boxes over the picture.</summary>
    public ILocator Boxes => Page.Locator("svg.overlay .box");

    /// <summary>What went wrong, in words.</summary>
    public ILocator Fault => Page.Locator(".notice.fault");

    /// <summary>Where the tests put pictures of the page for people to look at.</summary>
    private static string Screenshots { get; } =
        Directory.CreateDirectory(Path.Combine(Checkout.Root, "artifacts", "screenshots")).FullName;

    public static async Task<ExplorerPage> OpenAsync(IBrowserContext context, Uri address)
    {
        var page = new ExplorerPage(context, await context.NewPageAsync(), address);
        page.Page.SetDefaultTimeout(60_000);
        await page.Page.GotoAsync(address.ToString());
        await page.Page.GetByRole(AriaRole.Button, new() { Name = "smear", Exact = true }).WaitForAsync();
        return page;
    }

    /// <summary>Says that these statuses, which browsers report as errors, are what the test wants to see.</summary>
    public void Expect(params string[] words) => _expected.AddRange(words);

    /// <summary>Drops files on the page, as the file manager does.</summary>
    public Task DropAsync(params (string Name, byte[] Bytes)[] files) => Page.EvaluateAsync(
        """
        files => {
          const transfer = new DataTransfer();
          for (const { name, bytes } of files) {
            transfer.items.add(
                new File([Uint8Array.fromBase64?.(bytes) ?? Uint8Array.from(atob(bytes), c => c.charCodeAt(0))], name));
          }
          document.body.dispatchEvent(
              new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer: transfer }));
        }
        """,
        files.Select(file => new { name = file.Name, bytes = Convert.ToBase64String(file.Bytes) }).ToArray());

    /// <summary>Takes the first sample and waits for its boxes.</summary>
    public async Task UseSampleAsync()
    {
        await Page.GetByRole(AriaRole.Button, new() { Name = "smear", Exact = true }).ClickAsync();
        await Boxes.First.WaitForAsync();
    }

    /// <summary>Chooses which part of the model is asked.</summary>
    public Task AskAsync(string part) =>
        Page.GetByRole(AriaRole.Button, new() { Name = part, Exact = true }).ClickAsync();

    public Task OpenTabAsync(string name) => Page.GetByRole(AriaRole.Tab, new() { Name = name }).ClickAsync();

    /// <summary>Moves a slider.</summary>
    public Task SlideAsync(string name, double value) =>
        Page.GetByRole(AriaRole.Slider, new() { Name = name }).FillAsync(value.ToString(CultureInfo.InvariantCulture));

    /// <summary>The boxes over the picture in pixels of the picture, by place in the answer.</summary>
    public async Task<SortedDictionary<int, double[]>> ReadBoxesAsync()
    {
        var view = await Page.EvaluateAsync<double[]>(
            """
            () => {
              const picture = new DOMMatrix(getComputedStyle(document.querySelector('.picture')).transform);
              return [picture.a, picture.e, picture.f];
            }
            """);
        var drawn = await Page.EvaluateAsync<double[][]>(
            """
            () => [...document.querySelectorAll('svg.overlay .box')].map(box => {
              const line = box.querySelector('.line');
              return [Number(box.dataset.index), ...['x', 'y', 'width', 'height'].map(
                  name => Number(line.getAttribute(name)))];
            })
            """);
        var boxes = new SortedDictionary<int, double[]>();
        foreach (var box in drawn)
        {
            var (x, y) = ((box[1] - view[1]) / view[0], (box[2] - view[2]) / view[0]);
            boxes[(int)box[0]] = [x, y, x + (box[3] / view[0]), y + (box[4] / view[0])];
        }

        return boxes;
    }

    /// <summary>One rectangle over the picture in pixels of the picture: left, upper, right and lower edge.</summary>
    public Task<double[]> ReadRectangleAsync(string selector) => Page.EvaluateAsync<double[]>(
        """
        selector => {
          const picture = new DOMMatrix(getComputedStyle(document.querySelector('.picture')).transform);
          const [x, y, width, height] =
              ['x', 'y', 'width', 'height'].map(name => Number(document.querySelector(selector).getAttribute(name)));
          const left = (x - picture.e) / picture.a;
          const top = (y - picture.f) / picture.a;
          return [left, top, left + width / picture.a, top + height / picture.a];
        }
        """,
        selector);

    /// <summary>Clicks what downloads, and returns the file.</summary>
    public async Task<(string Name, byte[] Bytes)> DownloadAsync(string button)
    {
        var download = await Page.RunAndWaitForDownloadAsync(
            () => Page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync());
        return (download.SuggestedFilename, await File.ReadAllBytesAsync(
            await download.PathAsync(), TestContext.Current.CancellationToken));
    }

    /// <summary>Writes a picture of the page for people to look at.</summary>
    public Task ShootAsync(string name, bool whole = false) =>
        Page.ScreenshotAsync(new()
        {
            Path = Path.Combine(
            Screenshots, $"{name}.png"),
            FullPage = whole,
            Animations = ScreenshotAnimations.Disabled
        });

    /// <summary>Lets axe-core look for what keeps people out, and asserts that it finds nothing serious.</summary>
    public async Task AssertAccessibleAsync(string state)
    {
        var file = Path.Combine(Checkout.Root, "node_modules", "axe-core", "axe.min.js");
        Assert.SkipUnless(File.Exists(file), "node_modules is absent: test.sh installs it, as does npm ci.");
        var axe = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);

        // Evaluated by the browser itself: the page's policy would refuse a script element, as it should.
        await Page.EvaluateAsync($"() => {{ {axe} }}");
        var found = await Page.EvaluateAsync<JsonElement>("() => axe.run(document, { resultTypes: ['violations'] })");
        var serious = found.GetProperty("violations").EnumerateArray()
            .Where(violation => violation.GetProperty("impact").GetString() is "serious" or "critical")
            .Select(violation => $"{violation.GetProperty("id")}: "
                + $"{violation.GetProperty("nodes")[0].GetProperty("html")}: "
                + $"{violation.GetProperty("nodes")[0].GetProperty("failureSummary")}")
            .ToArray();
        Assert.True(serious.Length == 0, $"{state}: {string.Join("; ", serious)}");
        Assert.NotEqual(0, found.GetProperty("testEngine").GetProperty("version").GetString()!.Length);
    }

    /// <summary>Asserts that nothing is wider than the window.</summary>
    public async Task AssertFitsAsync() => Assert.Equal(
        0, await Page.EvaluateAsync<int>(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"));

    public async ValueTask DisposeAsync()
    {
        await _context.CloseAsync();
        Assert.DoesNotContain(
            _complaints, complaint => !_expected.Exists(word => complaint.Contains(word, StringComparison.Ordinal)));
    }
}
