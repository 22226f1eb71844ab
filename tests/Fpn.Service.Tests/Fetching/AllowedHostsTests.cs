using Fpn.Service.Fetching;
using Fpn.Settings;

namespace Fpn.Service.Tests.Fetching;

/// <summary>Hosts are compared whole, in whatever form a URL has them.</summary>
public sealed class AllowedHostsTests
{
    [Theory]
    [InlineData("images.example.com", "https://images.example.com/a.jpg")]
    [InlineData("images.example.com", "http://images.example.com")]
    [InlineData("images.example.com", "HTTPS://IMAGES.Example.COM./a.jpg")]
    [InlineData("Images.Example.com.", "https://images.example.com/a.jpg")]
    [InlineData("images.example.com", "https://images.example.com:443/a.jpg")]
    [InlineData("label-studio:8080", "http://label-studio:8080/data/a.jpg")]
    [InlineData("label_studio:8080", "http://label_studio:8080/data/a.jpg")]
    [InlineData("a.example.com, b.example.com", "https://b.example.com/")]
    [InlineData("*.example.com", "https://a.example.com/")]
    [InlineData("*.example.com", "https://a.b.example.com/")]
    [InlineData("*.example.com:8443", "https://a.example.com:8443/")]
    [InlineData("bücher.example", "https://xn--bcher-kva.example/")]
    [InlineData("xn--bcher-kva.example", "https://B\u00DCCHER.example/")]
    [InlineData("127.0.0.1:80", "http://2130706433/")]
    [InlineData("127.0.0.1", "http://0x7f.1/")]
    [InlineData("127.0.0.1", "http://0177.0.0.1/")]
    [InlineData("127.0.0.1", "http://127.1/")]
    [InlineData("[::1]:8080", "http://[0:0:0:0:0:0:0:1]:8080/")]
    [InlineData("[::1]", "http://[::1]/")]
    public void Allows_ListedHost_InAnyForm(string hosts, string url) => Assert.True(Allows(hosts, url));

    [Theory]
    [InlineData("", "https://images.example.com/")]
    [InlineData("images.example.com", "https://images.example.com.evil.test/")]
    [InlineData("images.example.com", "https://evil-images.example.com/")]
    [InlineData("images.example.com", "https://evil.test/images.example.com")]
    [InlineData("images.example.com", "https://evil.test\\images.example.com")]
    [InlineData("images.example.com", "https://evil.test#images.example.com")]
    [InlineData("images.example.com", "https://images.example.com:8443/")]
    [InlineData("images.example.com", "http://images.example.com:443/")]
    [InlineData("images.example.com:443", "http://images.example.com/")]
    [InlineData("*.example.com", "https://example.com/")]
    [InlineData("*.example.com", "https://.example.com/")]
    [InlineData("*.example.com", "https://evilexample.com/")]
    [InlineData("*.example.com", "https://a.example.com:8443/")]
    [InlineData("example.com", "https://ex\u0430mple.com/")]
    [InlineData("127.0.0.1", "http://[::ffff:127.0.0.1]/")]
    public void Allows_AnotherHost_DoesNot(string hosts, string url) => Assert.False(Allows(hosts, url));

    [Theory]
    [InlineData("")]
    [InlineData("a.jpg")]
    [InlineData("//images.example.com/a.jpg")]
    [InlineData("/etc/passwd")]
    [InlineData("file:///etc/passwd")]
    [InlineData("file://images.example.com/a.jpg")]
    [InlineData("ftp://images.example.com/a.jpg")]
    [InlineData("gopher://images.example.com/a.jpg")]
    [InlineData("ws://images.example.com/a.jpg")]
    [InlineData("data:image/png;base64,AAAA")]
    [InlineData("s3://images/a.jpg")]
    [InlineData("https://")]
    [InlineData("https:///a.jpg")]
    [InlineData("https://images.example.com:70000/")]
    [InlineData("https://user@images.example.com/")]
    [InlineData("https://user:password@images.example.com/")]
    [InlineData("https://images.example.com@evil.test/")]
    [InlineData("https://images.example.com\r\nHost: evil.test/")]
    [InlineData("https://images example.com/")]
    public void TryParse_NoUrlOfAnImage_IsFalse(string url) => Assert.False(FetchTarget.TryParse(url, out _));

    [Fact]
    public void TryParse_TooLong_IsFalse()
    {
        var url = "https://images.example.com/".PadRight(FetchTarget.LongestUrl, 'a');
        Assert.True(FetchTarget.TryParse(url, out _));
        Assert.False(FetchTarget.TryParse(url + "a", out _));
    }

    [Theory]
    [InlineData("https://images.example.com")]
    [InlineData("images.example.com/a")]
    [InlineData("images.example.com?a")]
    [InlineData("user@images.example.com")]
    [InlineData("images.example.com:")]
    [InlineData("images.example.com:0")]
    [InlineData("images.example.com:65536")]
    [InlineData("images.example.com:+80")]
    [InlineData("::1")]
    [InlineData("*")]
    [InlineData("*.")]
    [InlineData("*example.com")]
    [InlineData("a.*.example.com")]
    [InlineData("*.10.0.0.1")]
    [InlineData("10.0.0.0/8")]
    public void Parse_NoHost_IsRefusedByName(string item)
    {
        var exception = Assert.Throws<SettingsException>(() => AllowedHosts.Parse($"a.example.com, {item}"));
        Assert.StartsWith("Setting 'Fpn:Fetch:Hosts' must list hosts", exception.Message, StringComparison.Ordinal);
        Assert.EndsWith($"'{item}' is not a host.", exception.Message, StringComparison.Ordinal);
    }

    private static bool Allows(string hosts, string url) =>
        FetchTarget.TryParse(url, out var target) && AllowedHosts.Parse(hosts).Allows(target);
}
