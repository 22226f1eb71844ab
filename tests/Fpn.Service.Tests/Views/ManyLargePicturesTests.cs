using System.Globalization;
using System.Text.Json;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Views;

/// <summary>However many clients send large pictures to be cut into slices, the service's memory stays that of the
/// settings.</summary>
public sealed class ManyLargePicturesTests
{
    private const int Clients = 64;
    private const long DecodedBytes = 512L << 20;

    /// <summary>What .NET and the C library may keep beside what is in use.</summary>
    private const long Slack = 256L << 20;

    /// <summary>Decoded, the pictures of all clients are 7.3 GiB.</summary>
    [Fact]
    [Trait("Speed", "slow")]
    public async Task Detect_SlicesOfManyLargePictures_StayWithinTheMemoryForPictures()
    {
        using var models = new ModelFolder();
        new TinyPackage().WriteTo(models.Path, "tiny");
        using var black = NetVips.Image.Black(8000, 5000, bands: 3);
        var picture = black.JpegsaveBuffer();
        using var service = new ServiceProcess(
            [],
            ("Fpn__Models__Path", models.Path),
            ("Fpn__Models__Default", "tiny"),
            ("Fpn__Limits__MaxDecodedBytes", DecodedBytes.ToString(CultureInfo.InvariantCulture)),
            ("Fpn__Batching__QueueCapacity", "2000"),
            ("Fpn__Batching__Deadline", "00:10:00"));
        using var client = new HttpClient { BaseAddress = await service.WaitForAddressAsync() };
        var before = service.PeakBytes;

        // Three rows of five slices, and the whole.
        var answers = await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ =>
            client.DetectAsync(picture, "slice=2000&overlap=0.1")));

        Assert.All(answers, answer => Assert.Equal(16, Views(answer)));
        Assert.InRange(
            service.PeakBytes - before, 8000 * 5000 * 3, DecodedBytes + (Clients * (long)picture.Length) + Slack);
    }

    private static int Views(JsonElement answer) => answer.GetProperty("views").GetInt32();
}
