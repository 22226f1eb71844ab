using System.Net;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Detect;

/// <summary>Limits are what they say: the last that fits is served, one more is refused.</summary>
public sealed class LimitsTests(LimitsTests.Tight tight) : IClassFixture<LimitsTests.Tight>
{
    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.SampleImage);

    private HttpClient Client => tight.Service.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Detect_ImageOfTheLargestSize_Is200() =>
        Assert.NotEmpty((await Client.DetectAsync(Sample)).Detections());

    [Fact]
    public async Task Detect_OneByteMore_Is413() => await ProblemBody.AssertAsync(
        await Client.PostDetectAsync([.. Sample, 0]), HttpStatusCode.RequestEntityTooLarge, "image-too-large");

    [Theory]
    [InlineData(0, 200)]
    [InlineData(1, 413)]
    public async Task Detect_ChunkedBody_IsCountedWhileItIsRead(int more, int status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "detect")
        {
            Content =
            new StreamContent(new MemoryStream([.. Sample, .. new byte[more]]))
        };
        request.Headers.TransferEncodingChunked = true;
        using var response = await Client.SendAsync(request, Cancel);
        Assert.Equal(status, (int)response.StatusCode);
    }

    [Theory]
    [InlineData(0, 200)]
    [InlineData(1, 413)]
    public async Task Detect_Form_CountsTheImageAlone(int more, int status)
    {
        using var form = new MultipartFormDataContent();
        form.Add(new ByteArrayContent([.. Sample, .. new byte[more]]), "image", new string('n', 1000));
        using var response = await Client.PostAsync("detect", form, Cancel);
        Assert.Equal(status, (int)response.StatusCode);
    }

    [Fact]
    public async Task Detect_MorePixels_Is413ThatNamesSizeAndLimit()
    {
        // Fewer bytes, more pixels.
        var body = await ProblemBody.AssertAsync(
            await Client.PostDetectAsync(MadeImages.Read("strip-240x1600.jpg")),
            HttpStatusCode.RequestEntityTooLarge,
            "too-many-pixels");
        Assert.Contains("1600", body.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains("307200", body.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    /// <summary>A service whose limits are the sample's own size.</summary>
    public sealed class Tight : IDisposable
    {
        internal RunningService Service { get; } = new(
            ("Fpn:Limits:MaxImageBytes", $"{Sample.Length}"), ("Fpn:Limits:MaxImagePixels", $"{640 * 480}"));

        public void Dispose() => Service.Dispose();
    }
}
