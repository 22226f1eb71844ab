using Fpn.Service.Fetching;
using Fpn.Settings;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Fetching;

/// <summary>Credentials belong to one origin, and no message quotes them.</summary>
public sealed class FetchCredentialsTests
{
    private const string Secret = "Token c0ffee8841d7";
    private const string Hosts = "images.example.com, label-studio:8080";

    [Theory]
    [InlineData("https://images.example.com/a.jpg", true)]
    [InlineData("https://IMAGES.example.com.:443/a.jpg", true)]
    [InlineData("http://images.example.com/a.jpg", false)]
    [InlineData("https://images.example.com:8443/a.jpg", false)]
    [InlineData("https://a.images.example.com/a.jpg", false)]
    public void For_Url_IsThatOfItsOrigin(string url, bool known)
    {
        var credentials = Read($$"""{ "https://images.example.com": "{{Secret}}" }""");
        Assert.True(FetchTarget.TryParse(url, out var target));
        Assert.Equal(known ? Secret : null, credentials.For(target));
    }

    [Fact]
    public void Read_FileAndValue_AreBothUsed()
    {
        using var file = new KeyFile();
        file.WriteText($$"""{ "http://label-studio:8080": "{{Secret}}", } // A comment.""");
        var options = new FetchOptions
        {
            CredentialsFile = "keys.json",
            CredentialsJson = """{ "https://images.example.com": "Bearer b" }""",
        };
        var credentials = FetchCredentials.Read(options, AllowedHosts.Parse(Hosts), file.Folder);
        Assert.True(FetchTarget.TryParse("http://label-studio:8080/data/a.jpg", out var target));
        Assert.Equal(Secret, credentials.For(target));
        Assert.True(FetchTarget.TryParse("https://images.example.com/a.jpg", out target));
        Assert.Equal("Bearer b", credentials.For(target));
    }

    [Theory]
    [InlineData("", "is not JSON")]
    [InlineData(Secret, "is not JSON")]
    [InlineData($$"""["{{Secret}}"]""", "must be an object")]
    [InlineData($$"""{ "https://images.example.com": {{Secret}} }""", "is not JSON")]
    [InlineData($$"""{ "https://images.example.com": ["{{Secret}}"] }""", "entry 1 must be the value")]
    [InlineData("""{ "https://images.example.com": "" }""", "entry 1 must be the value")]
    [InlineData($$"""{ "https://images.example.com": "{{Secret}}\r\nX: y" }""", "entry 1 must be the value")]
    [InlineData($$"""{ "https://images.example.com": "{{Secret}} " }""", "entry 1 must be the value")]
    [InlineData($$"""{ "https://images.example.com": "{{Secret}}\u00e9" }""", "entry 1 must be the value")]
    [InlineData($$"""{ "https://images.example.com": "{{Secret}}\ud800" }""", "is not JSON")]
    [InlineData($$"""{ "{{Secret}}": "https://images.example.com" }""", "entry 1 must be named for an origin")]
    [InlineData($$"""{ "images.example.com": "{{Secret}}" }""", "entry 1 must be named for an origin")]
    [InlineData($$"""{ "https://images.example.com/a": "{{Secret}}" }""", "entry 1 must be named for an origin")]
    [InlineData($$"""{ "https://images.example.com#a": "{{Secret}}" }""", "entry 1 must be named for an origin")]
    [InlineData($$"""{ "https://other.example.com": "{{Secret}}" }""", "'Fpn:Fetch:Hosts' does not list")]
    [InlineData($$"""{ "https://images.example.com:8443": "{{Secret}}" }""", "'Fpn:Fetch:Hosts' does not list")]
    [InlineData(
        $$"""{ "https://images.example.com": "a", "https://images.example.com:443": "{{Secret}}" }""",
        "entry 2 is for an origin that has credentials already")]
    [InlineData(
        $$"""{ "https://images.example.com": "a", "https://images.example.com": "{{Secret}}" }""",
        "repeats a member")]
    public void Read_WrongContent_IsRefusedWithoutQuotingIt(string json, string words)
    {
        var exception = Assert.Throws<SettingsException>(() => Read(json));
        Assert.StartsWith("Setting 'Fpn:Fetch:CredentialsJson'", exception.Message, StringComparison.Ordinal);
        Assert.Contains(words, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("c0ffee", exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NoSuchFile_IsRefusedByName()
    {
        var exception = Assert.Throws<SettingsException>(() => FetchCredentials.Read(
            new FetchOptions { CredentialsFile = "no-such.json" }, AllowedHosts.Parse(Hosts), "/no"));
        Assert.StartsWith("Setting 'Fpn:Fetch:CredentialsFile'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("no-such.json", exception.Message, StringComparison.Ordinal);
    }

    private static FetchCredentials Read(string json) =>
        FetchCredentials.Read(new FetchOptions { CredentialsJson = json }, AllowedHosts.Parse(Hosts), "/");
}
