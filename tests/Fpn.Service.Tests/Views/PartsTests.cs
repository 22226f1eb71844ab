using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Views;

/// <summary>A picture that is larger than the memory for pictures gives the same detections, read part by
/// part.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class PartsTests(ServiceFixture fixture)
{
    /// <summary>900 x 600 pixels are 1.6 MB. Reduced, the whole still has all of them: the model's own size is not far
    /// below.</summary>
    [Theory]
    [InlineData("slice=300&wholeImage=false")]
    [InlineData("slice=400x500&flip=true")]
    public async Task Detect_TiledTiff_IsReadInPartsWithTheSameAnswer(string query)
    {
        using var picture = NetVips.Image.NewFromBuffer(File.ReadAllBytes(Checkout.WideImage));
        var tiff = picture.TiffsaveBuffer(tile: true, tileWidth: 128, tileHeight: 128);
        using var small = new RunningService(("Fpn:Limits:MaxDecodedBytes", "1048576"));
        var whole = await fixture.Service.Client.DetectAsync(tiff, query);
        var parts = await small.Client.DetectAsync(tiff, query);
        Assert.NotEmpty(whole.Detections());
        Assert.Equal(whole.Detections(), parts.Detections());
        Assert.Equal(Views(whole), Views(parts));
    }

    private static int Views(JsonElement answer) => answer.GetProperty("views").GetInt32();
}
