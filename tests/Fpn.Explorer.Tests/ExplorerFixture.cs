using Fpn.Testing.Running;
using Microsoft.Playwright;

namespace Fpn.Explorer.Tests;

/// <summary>Debian's Chromium without a window, and one service with default settings, shared by the tests of the
/// collection.</summary>
public sealed class ExplorerFixture : IAsyncLifetime
{
    /// <summary>Name of the collection.</summary>
    public const string Collection = "explorer";

    private const string Chromium = "/usr/bin/chromium";

    // Nothing but the page goes over the network; the camera is a moving pattern.
    private static readonly string[] Arguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update",
        "--disable-sync", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
            "--force-color-profile=srgb",
    ];

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>The service.</summary>
    internal RunningService Service { get; } = new();

    public async ValueTask InitializeAsync()
    {
        if (File.Exists(Chromium))
        {
            // Only a limit: nothing waits longer than it must, and a busy machine may take its time.
            Assertions.SetDefaultExpectTimeout(60_000);
            _playwright = await Playwright.CreateAsync();
            _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Chromium, Args = Arguments });
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.CloseAsync();
        }

        _playwright?.Dispose();
        Service.Dispose();
    }

    /// <summary>Opens the page in a browser profile of its own.</summary>
    /// <param name="address">Whose page; null for the shared service's.</param>
    /// <param name="width">Of the window, in CSS pixels.</param>
    /// <param name="height">Of the window.</param>
    /// <param name="dark">The colors that the system prefers.</param>
    /// <param name="touch">Whether it is a device with a touch screen.</param>
    internal async Task<ExplorerPage> OpenAsync(
        Uri? address = null, int width = 1440, int height = 900, bool dark = false, bool touch = false)
    {
        if (_browser is null)
        {
            const string Reason = $"chromium is absent: {Chromium} does not exist (Debian's package chromium).";
            Assert.False(string.Equals(
                Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase), Reason);
            Assert.Skip(Reason);
        }

        var context = await _browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = height },
            ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light,
            HasTouch = touch,
            AcceptDownloads = true,
            Permissions = ["camera", "clipboard-read", "clipboard-write"],
        });
        return await ExplorerPage.OpenAsync(context, address ?? Service.Address);
    }
}

/// <summary>Tests of one collection run one after the other, and share browser and service.</summary>
[CollectionDefinition(ExplorerFixture.Collection)]
public sealed class SharedBrowser : ICollectionFixture<ExplorerFixture>;
