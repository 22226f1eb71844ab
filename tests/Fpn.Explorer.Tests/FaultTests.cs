using System.Net;
using System.Net.Sockets;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Microsoft.Playwright;

namespace Fpn.Explorer.Tests;

/// <summary>When something goes wrong the page says what and what to do, and loses nothing.</summary>
[Collection(ExplorerFixture.Collection)]
public sealed class FaultTests(ExplorerFixture fixture)
{
    private static readonly byte[] Smear = MadeImages.Read("smear-480x640.jpg");

    [Fact]
    public async Task Drop_TextFile_SaysWhatItReadsAndKeepsTheRest()
    {
        await using var explorer = await fixture.OpenAsync();
        explorer.Expect("status of 415");
        await explorer.UseSampleAsync();
        await explorer.DropAsync(("notes.txt", "These are notes, not a picture."u8.ToArray()));

        await Assertions.Expect(explorer.Fault).ToContainTextAsync("not a picture the service can read");
        await Assertions.Expect(explorer.Fault).ToContainTextAsync(
            "It reads JPEG, PNG, WebP, GIF, TIFF, AVIF and BMP, whatever");
        await Assertions.Expect(explorer.Fault).ToHaveAttributeAsync("role", "alert");
        await explorer.ShootAsync("fault-text-file");

        // The sample and its boxes are still there.
        await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "smear.jpg" }).First.ClickAsync();
        await Assertions.Expect(explorer.Boxes.First).ToBeVisibleAsync();
        await Assertions.Expect(explorer.Fault).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Formats_OfAServiceWithoutAvif_AreSaidAndAskedFor()
    {
        using var service = new RunningService(("Fpn:Imaging:Codec", "imagesharp"), ("Fpn:Batching:MaxBatchSize", "1"));
        await using var explorer = await fixture.OpenAsync(service.Address);
        explorer.Expect("status of 415");
        var intake = explorer.Page.Locator(".dropzone");
        await Assertions.Expect(intake).ToContainTextAsync(
            "JPEG, PNG, WebP, GIF, TIFF or BMP, up to 20.9 MB each. They go to this service only.");
        await Assertions.Expect(intake.Locator("input[multiple]")).ToHaveAttributeAsync(
            "accept", "image/jpeg,image/png,image/webp,image/gif,image/tiff,.tif,.tiff,image/bmp");
        var avif = Path.Combine(Checkout.Root, "tests", "Fpn.Imaging.Tests", "Images", "rgb.avif");
        var bytes = await File.ReadAllBytesAsync(avif, TestContext.Current.CancellationToken);
        await explorer.DropAsync(("rgb.avif", bytes));
        await Assertions.Expect(explorer.Fault).ToContainTextAsync(
            "It reads JPEG, PNG, WebP, GIF, TIFF and BMP, whatever");
    }

    [Fact]
    public async Task Drop_CutOffImage_SaysThatItIsDamaged()
    {
        await using var explorer = await fixture.OpenAsync();
        explorer.Expect("status of 422");
        await explorer.DropAsync(("half.jpg", Smear[..(Smear.Length / 2)]));
        await Assertions.Expect(explorer.Fault).ToContainTextAsync("The picture is damaged");
    }

    [Fact]
    public async Task Drop_FileOverTheLimit_IsNotEvenSent()
    {
        using var service = new RunningService(("Fpn:Limits:MaxImageBytes", "20000"));
        await using var explorer = await fixture.OpenAsync(service.Address);
        await explorer.DropAsync(("large.jpg", Smear));
        await Assertions.Expect(explorer.Fault).ToContainTextAsync("this service takes 20 kB");
        Assert.Empty(explorer.Detects);
    }

    [Fact]
    public async Task Drop_TooManyPixels_SaysToScaleItDown()
    {
        using var service = new RunningService(("Fpn:Limits:MaxImagePixels", "100000"));
        await using var explorer = await fixture.OpenAsync(service.Address);
        explorer.Expect("status of 413");
        await explorer.DropAsync(("large.jpg", Smear));
        await Assertions.Expect(explorer.Fault).ToContainTextAsync("Scale it down");
    }

    [Fact]
    public async Task Service_StoppedAndBack_NothingIsLost()
    {
        var port = FreePort();
        var service = Start(port);
        ExplorerPage explorer;
        try
        {
            explorer = await fixture.OpenAsync(await service.WaitForAddressAsync());
            explorer.Expect("ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "ERR_ABORTED");
            await explorer.UseSampleAsync();
            service.SendTerminate();
            Assert.Equal(0, (await service.WaitForExitAsync()).Code);
        }
        finally
        {
            service.Dispose();
        }

        await using (explorer)
        {
            await explorer.DropAsync(("later.jpg", Smear));
            await Assertions.Expect(explorer.Page.Locator("[data-kind=away]")).ToContainTextAsync("does not answer");

            // What was there can still be looked at.
            await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "smear.jpg" }).First.ClickAsync();
            await Assertions.Expect(explorer.Boxes.First).ToBeVisibleAsync();
            await explorer.ShootAsync("fault-service-away");

            using var again = Start(port);
            await again.WaitForAddressAsync();
            await explorer.Page.GetByRole(AriaRole.Button, new() { Name = "Send the picture again" }).ClickAsync();
            await Assertions.Expect(explorer.Page.Locator(".gallery li.done")).ToHaveCountAsync(2);
            await Assertions.Expect(explorer.Page.Locator(".notice")).ToHaveCountAsync(0);
        }
    }

    [Fact]
    public async Task Service_WithKeys_AsksForOneAndForgetsItWithTheTab()
    {
        const string Key = "5f0c3e9a71b24d68a1c7";
        using var service =
            new RunningService(("Fpn:Keys:Json", $$"""[{"name":"alice","key":"{{Key}}","scopes":["detect"]}]"""));
        await using var explorer = await fixture.OpenAsync(service.Address);
        explorer.Expect("status of 401", "status of 403");

        // The page itself is open; asking which models there are is not.
        var dialog = explorer.Page.GetByRole(AriaRole.Dialog, new() { Name = "This service asks for a key" });
        await Assertions.Expect(dialog).ToBeVisibleAsync();
        await explorer.AssertAccessibleAsync("key dialog");
        await explorer.ShootAsync("key-dialog");
        await EnterAsync("0123456789abcdef0123");
        await Assertions.Expect(dialog).ToContainTextAsync("did not take the key");
        await EnterAsync(Key);
        await Assertions.Expect(dialog).Not.ToBeVisibleAsync();
        await explorer.UseSampleAsync();

        Assert.Equal(Key, await explorer.Page.EvaluateAsync<string>("() => sessionStorage.getItem('fpn-key')"));
        Assert.DoesNotContain(
            Key,
            await explorer.Page.EvaluateAsync<string>(
                "() => JSON.stringify(localStorage) + document.cookie + location.href"),
            StringComparison.Ordinal);

        // The command is for passing on: it names a variable, not the key.
        await explorer.OpenTabAsync("Request");
        var command = await explorer.Page.Locator("pre.code").InnerTextAsync();
        Assert.Contains("X-Api-Key: $FPN_KEY", command, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, command, StringComparison.Ordinal);

        // A key that does not open the figures: the cards are there all the same.
        await ServerViewTests.OpenServerAsync(explorer);
        await Assertions.Expect(explorer.Page.Locator("p.notice"))
            .ToContainTextAsync("Your key does not open /metrics");
        await Assertions.Expect(explorer.Page.Locator(".card")).ToHaveCountAsync(1);

        async Task EnterAsync(string key)
        {
            await dialog.GetByLabel("API key").FillAsync(key);
            await dialog.GetByRole(AriaRole.Button, new() { Name = "Use this key" }).ClickAsync();
        }
    }

    [Fact]
    public async Task Upload_OverASlowConnection_ShowsHowFarItIs()
    {
        await using var explorer = await fixture.OpenAsync();
        var network = await explorer.Page.Context.NewCDPSessionAsync(explorer.Page);
        await network.SendAsync("Network.enable");
        await network.SendAsync("Network.emulateNetworkConditions", Speed(bytesPerSecond: 60_000));
        await explorer.DropAsync(("slow.jpg", MadeImages.Read("large-900x1200.jpg")));

        await Assertions.Expect(explorer.Page.Locator(".progress")).ToContainTextAsync("Uploading");
        var share = explorer.Page.Locator(".progress progress[value]");
        Assert.InRange(await share.EvaluateAsync<double>("bar => bar.value"), 0, 1);
        await network.SendAsync("Network.emulateNetworkConditions", Speed(bytesPerSecond: -1));
        await explorer.Boxes.First.WaitForAsync();
        await Assertions.Expect(explorer.Page.Locator(".progress")).ToHaveCountAsync(0);

        static Dictionary<string, object> Speed(int bytesPerSecond) =>
            new()
            {
                ["offline"] = false,
                ["latency"] = 0,
                ["downloadThroughput"] = -1,
                ["uploadThroughput"] = bytesPerSecond
            };
    }

    private static ServiceProcess Start(int port) => new(
        ["--urls", $"http://127.0.0.1:{port}"], ("Fpn__Models__Path", Checkout.BloodCells),
            ("Fpn__Batching__MaxBatchSize", "1"));

    private static int FreePort()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }
}
