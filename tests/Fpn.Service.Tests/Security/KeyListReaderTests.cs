using System.Security.Cryptography;
using System.Text;
using Fpn.Service.Security;
using Fpn.Serving.Requests;
using Fpn.Settings;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Security;

/// <summary>Keys are read strictly, and no message quotes what may be one.</summary>
public sealed class KeyListReaderTests
{
    private const string Key = KeyFile.Alice;
    private const string Scopes = "\"scopes\": [\"detect\"]";
    private const string Good = $$"""[{ "name": "alice", "key": "{{Key}}", {{Scopes}} }]""";

    [Fact]
    public void Read_Least_HasTheDefaults()
    {
        var entry = Assert.Single(Read(Good));
        Assert.Equal("alice", entry.Name);
        Assert.Equal(SHA256.HashData(Encoding.ASCII.GetBytes(Key)), entry.Digest);
        Assert.Equal(
            (KeyScope.Detect, null, RequestPriority.Normal),
            (entry.Scopes, entry.RequestsPerMinute, entry.HighestPriority));
    }

    [Fact]
    public void Read_All_ReadsEach()
    {
        var hex = Convert.ToHexString(SHA256.HashData(Encoding.ASCII.GetBytes(Key)));
        var entry = Assert.Single(Read($$"""
            // Comments are allowed.
            [{ "name": "ci.runner_1-a", "sha256": "{{hex}}", "scopes": ["admin", "metrics"],
               "requestsPerMinute": 90, "burst": 7, "highestPriority": "high" },]
            """));
        Assert.Equal("ci.runner_1-a", entry.Name);
        Assert.Equal(hex, Convert.ToHexString(entry.Digest));
        Assert.Equal(
            (KeyScope.Admin | KeyScope.Metrics, 90, 7, RequestPriority.High),
            (entry.Scopes, entry.RequestsPerMinute, entry.Burst, entry.HighestPriority));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(11, 1)]
    [InlineData(600, 100)]
    public void Read_NoBurst_IsTenSecondsWorth(int perMinute, int burst) =>
        Assert.Equal(
            burst,
            Assert.Single(Read(Good.Replace(Scopes, $"{Scopes}, \"requestsPerMinute\": "
                + $"{perMinute}", StringComparison.Ordinal))).Burst);

    [Theory]
    [InlineData("[]")]
    [InlineData("\uFEFF[]")]
    public void Read_None_IsAnEmptyList(string json) => Assert.Empty(Read(json));

    [Theory]
    [InlineData("", "is not JSON")]
    [InlineData("{}", "must be a list")]
    [InlineData("[1]", "entry 1 must be an object")]
    [InlineData(Good + "x", "is not JSON")]
    [InlineData($$"""[{ "name": "alice", "key": {{Key}}, {{Scopes}} }]""", "is not JSON")]
    [InlineData($$"""[{ "name": "alice", "key": f{{Key}}, {{Scopes}} }]""", "is not JSON")]
    [InlineData($$"""[{ "{{Key}}": "alice", {{Scopes}} }]""", "entry 1 has an unknown member; known: name, key")]
    [InlineData(
        $$"""[{ "name": "alice", "key": "{{Key}}", "{{Key}}": 1, "{{Key}}": 2 }]""",
        "is not JSON, or repeats a member")]
    [InlineData($$"""[{ "name": "alice", "key": "{{Key}}", "Scopes": ["detect"] }]""", "entry 1 has an unknown member")]
    [InlineData($$"""[{ "key": "{{Key}}", {{Scopes}} }]""", "entry 1: 'name' must be")]
    [InlineData($$"""[{ "name": "{{Key}} {{Key}}", "key": "{{Key}}", {{Scopes}} }]""", "entry 1: 'name' must be")]
    [InlineData($$"""[{ "name": 5, "key": "{{Key}}", {{Scopes}} }]""", "entry 1: 'name' must be")]
    [InlineData($$"""[{ "name": "\ud800", "key": "{{Key}}", {{Scopes}} }]""", "not valid UTF-8")]
    [InlineData($$"""[{ "name": "alice", {{Scopes}} }]""", "entry 1 must have either 'key' or 'sha256'")]
    [InlineData(
        $$"""[{ "name": "alice", "key": "{{Key}}", "sha256": "{{Key}}", {{Scopes}} }]""",
        "entry 1 must have either 'key' or 'sha256'")]
    [InlineData(
        """[{ "name": "alice", "key": "alice-5f2c9e7d4", "scopes": ["detect"] }]""",
        "entry 1: 'key' must be 16 to 512 letters")]
    [InlineData(
        """[{ "name": "alice", "key": "alice-5f2c9e7d41b8a063 ", "scopes": ["detect"] }]""",
        "entry 1: 'key' must be")]
    [InlineData(
        """[{ "name": "alice", "key": "alice-5f2c9e7d41b8a063\n", "scopes": ["detect"] }]""",
        "entry 1: 'key' must be")]
    [InlineData(
        """[{ "name": "alice", "key": "älice-5f2c9e7d41b8a063", "scopes": ["detect"] }]""",
        "entry 1: 'key' must be")]
    [InlineData(
        """[{ "name": "alice", "key": 55555555555555555555, "scopes": ["detect"] }]""",
        "entry 1: 'key' must be")]
    [InlineData(
        $$"""[{ "name": "alice", "sha256": "{{Key}}", {{Scopes}} }]""",
        "entry 1: 'sha256' must be 64 hexadecimal digits")]
    [InlineData(
        $$"""[{ "name": "alice", "key": "{{Key}}" }]""",
        "entry 1: 'scopes' must list some of detect, metrics, admin")]
    [InlineData($$"""[{ "name": "alice", "key": "{{Key}}", "scopes": [] }]""", "entry 1: 'scopes' must list")]
    [InlineData($$"""[{ "name": "alice", "key": "{{Key}}", "scopes": "detect" }]""", "entry 1: 'scopes' must list")]
    [InlineData(
        $$"""[{ "name": "alice", "key": "{{Key}}", "scopes": ["detect", "{{Key}}"] }]""",
        "entry 1: 'scopes' must list")]
    [InlineData(
        $$"""[{ "name": "alice", "key": "{{Key}}", {{Scopes}}, "requestsPerMinute": 0 }]""",
        "entry 1: 'requestsPerMinute' must be")]
    [InlineData(
        $$"""[{ "name": "alice", "key": "{{Key}}", {{Scopes}}, "requestsPerMinute": 1.5 }]""",
        "entry 1: 'requestsPerMinute' must be")]
    [InlineData(
        $$"""[{ "name": "alice", "key": "{{Key}}", {{Scopes}}, "requestsPerMinute": "{{Key}}" }]""",
        "entry 1: 'requestsPerMinute' must be")]
    [InlineData(
        $$"""[{ "name": "alice", "key": "{{Key}}", {{Scopes}}, "requestsPerMinute": 5, "burst": 0 }]""",
        "entry 1: 'burst' must be")]
    [InlineData(
        $$"""[{ "name": "alice", "key": "{{Key}}", {{Scopes}}, "burst": 5 }]""",
        "entry 1: 'burst' needs 'requestsPerMinute'")]
    [InlineData(
        $$"""[{ "name": "alice", "key": "{{Key}}", {{Scopes}}, "highestPriority": "{{Key}}" }]""",
        "entry 1: 'highestPriority' must be high, normal or low")]
    [InlineData(
        $$"""[{ "name": "alice", "key": "{{Key}}", {{Scopes}}, "highestPriority": null }]""",
        "entry 1: 'highestPriority' must be")]
    public void Read_Wrong_NamesSourceAndEntryAndNoKey(string json, string message)
    {
        var exception = Assert.Throws<SettingsException>(() => Read(json));
        Assert.StartsWith("keys.json: ", exception.Message, StringComparison.Ordinal);
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("5f2c9e7d4", exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_TooLong_IsRefused()
    {
        Assert.Single(Read(Good.Replace(Key, new string('k', 512), StringComparison.Ordinal)));
        var exception = Assert.Throws<SettingsException>(
            () => Read(Good.Replace(Key, new string('k', 513), StringComparison.Ordinal)));
        Assert.DoesNotContain("kkk", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_SecondEntryWrong_IsNumbered()
    {
        var exception = Assert.Throws<SettingsException>(() => Read($"{Good[..^1]}, {{}}]"));
        Assert.StartsWith("keys.json: entry 2: 'name'", exception.Message, StringComparison.Ordinal);
    }

    private static IReadOnlyList<KeyEntry> Read(string json) =>
        KeyListReader.Read(Encoding.UTF8.GetBytes(json), "keys.json");
}
