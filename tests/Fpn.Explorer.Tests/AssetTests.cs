using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;
using Fpn.Service.Explorer;
using Fpn.Testing.Running;

namespace Fpn.Explorer.Tests;

/// <summary>How the page's files are served. No browser needed.</summary>
[Collection(ExplorerFixture.Collection)]
public sealed partial class AssetTests(ExplorerFixture fixture)
{
    private const int MostBytes = 300_000;

    private HttpClient Client => fixture.Service.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Page_WithAllItRefersTo_IsSmall()
    {
        var page = await Client.GetByteArrayAsync(string.Empty, Cancel);
        var files = References(page);
        Assert.Equal([".css", ".js", ".svg"], files.Select(file => Path.GetExtension(file)).Order());

        long bytes = page.Length;
        foreach (var file in files)
        {
            bytes += (await Client.GetByteArrayAsync(file, Cancel)).Length;
        }

        Assert.InRange(bytes, 10_000, MostBytes);

        // Nothing else lies there: what is not referred to would be counted nowhere.
        Assert.Equal(files.Select(file => Path.GetFileName(file)).Order(), ExplorerAssets.Load().Files.Keys.Order());
    }

    [Fact]
    public async Task Page_Policy_AllowsOnlyThisService()
    {
        using var response = await Client.GetAsync(string.Empty, Cancel);
        Assert.Equal("text/html", response.Content.Headers.ContentType!.MediaType);
        var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.Equal(
            ["default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' blob: data:",
                "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"],
            policy.Split("; "));

        // Nothing that the policy would block, and no other host, stands in the document.
        var text = await response.Content.ReadAsStringAsync(Cancel);
        Assert.DoesNotMatch(@"(?i)<style|\sstyle=|\son\w+=|<script>|//", text);
    }

    [Fact]
    public async Task Files_AskedAgain_AreNotSentAgain()
    {
        var page = await Client.GetByteArrayAsync(string.Empty, Cancel);
        foreach (var file in (string[])[string.Empty, .. References(page), "explorer/samples/blood-cells/smear.jpg"])
        {
            using var first = await Client.GetAsync(file, Cancel);
            Assert.Equal(HttpStatusCode.OK, first.StatusCode);
            Assert.Equal("nosniff", Assert.Single(first.Headers.GetValues("X-Content-Type-Options")));
            Assert.Equal(
                References(page).Contains(
                    file) ? "public, max-age=31536000, immutable" : "no-cache", first.Headers.CacheControl!.ToString());
            using var request = new HttpRequestMessage(HttpMethod.Get, file);
            request.Headers.IfNoneMatch.Add(first.Headers.ETag!);
            using var again = await Client.SendAsync(request, Cancel);
            Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
            Assert.Empty(await again.Content.ReadAsByteArrayAsync(Cancel));

            using var head = await Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, file), Cancel);
            Assert.Equal((HttpStatusCode.OK, first.Content.Headers.ContentLength),
                (head.StatusCode, head.Content.Headers.ContentLength));
        }
    }

    [Theory]
    [InlineData("explorer/absent.js")]
    [InlineData("explorer/index.html")]
    [InlineData("explorer/samples/blood-cells/absent.jpg")]
    [InlineData("explorer/samples/everyday/smear.jpg")]
    [InlineData("explorer/samples/smear.jpg")]
    [InlineData("explorer/..%2Fappsettings.json")]
    [InlineData("explorer/samples/..%2F..%2Fappsettings.json")]
    [InlineData("explorer/samples/blood-cells/..%2F..%2F..%2Fappsettings.json")]
    public async Task Files_Unknown_Are404(string path)
    {
        using var response = await Client.GetAsync(path, Cancel);
        await ProblemBody.AssertAsync(response, HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task Settings_Limits_AreTheServices()
    {
        using var service =
            new RunningService(("Fpn:Limits:MaxImageBytes", "12345"), ("Fpn:Limits:MaxImagePixels", "678"));
        using var settings = JsonDocument.Parse(await service.Client.GetStringAsync("explorer/settings.json", Cancel));
        Assert.Equal(12345, settings.RootElement.GetProperty("maxImageBytes").GetInt64());
        Assert.Equal(678, settings.RootElement.GetProperty("maxImagePixels").GetInt64());
        var samples = settings.RootElement.GetProperty("samples").EnumerateArray()
            .Select(sample =>
                (Model: sample.GetProperty("model").GetString()!, Name: sample.GetProperty("name").GetString()!))
            .ToArray();
        Assert.Equal(
            [
                ("blood-cells", "smear.jpg"), ("blood-cells", "smear-wide.jpg"),
                ("everyday", "astronaut.jpg"), ("everyday", "cameraman.jpg"), ("everyday", "cat.jpg"),
            ],
            samples);
        foreach (var (model, name) in samples)
        {
            Assert.Equal(
                await File.ReadAllBytesAsync(Checkout.Sample(name), Cancel),
                await service.Client.GetByteArrayAsync($"explorer/samples/{model}/{name}", Cancel));
        }
    }

    /// <summary>The page names what this codec and this build read, and nothing else.</summary>
    [Theory]
    [InlineData("vips", "JPEG, PNG, WebP, GIF, TIFF, AVIF, BMP")]
    [InlineData("imagesharp", "JPEG, PNG, WebP, GIF, TIFF, BMP")]
    public async Task Settings_Formats_AreTheCodecs(string codec, string formats)
    {
        using var service = new RunningService(("Fpn:Imaging:Codec", codec), ("Fpn:Batching:MaxBatchSize", "1"));
        using var settings = JsonDocument.Parse(await service.Client.GetStringAsync("explorer/settings.json", Cancel));
        Assert.Equal(formats, string.Join(", ", settings.RootElement.GetProperty("formats").EnumerateArray()));
    }

    [Fact]
    public async Task Sources_TypeScript_HasNoErrors()
    {
        RequirePackages();
        var (code, output, _) = await ProgramRun.RunAsync(
            Sources, "node", Path.Combine(Packages, "typescript", "bin", "tsc"), "-p", ".");
        Assert.True(code == 0, output);
    }

    /// <summary>A change of the page is built too: what is served is what the sources say.</summary>
    [Fact]
    public async Task Sources_Built_AreTheCommittedFilesByteForByte()
    {
        RequirePackages();
        var built = Directory.CreateTempSubdirectory("fpn-page-").FullName;
        try
        {
            var (code, _, errors) = await ProgramRun.RunAsync(Sources, "node", "build.mjs", built);
            Assert.True(code == 0, errors);
            Assert.Equal(Contents(Path.Combine(Sources, "dist")), Contents(built));
        }
        finally
        {
            Directory.Delete(built, recursive: true);
        }
    }

    private static string Sources => Path.Combine(Checkout.Root, "src", "Fpn.Explorer");

    private static string Packages => Path.Combine(Checkout.Root, "node_modules");

    private static void RequirePackages() =>
        Assert.SkipUnless(Directory.Exists(Packages), "node_modules is absent: test.sh installs it, as does npm ci.");

    private static SortedDictionary<string, string> Contents(string folder) => new(
        Directory.EnumerateFiles(folder).ToDictionary(
            file => Path.GetFileName(file), file =>
                Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)))));

    private static string[] References(byte[] page) =>
        [.. Reference().Matches(System.Text.Encoding.UTF8.GetString(page)).Select(match => match.Groups[1].Value)
            .Where(file => file != "swagger")];

    [GeneratedRegex("(?:src|href)=\"([^\"]+)\"")]
    private static partial Regex Reference();
}
