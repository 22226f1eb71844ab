using Fpn.Service.Security;
using Fpn.Settings;
using Fpn.Testing.Fakes;
using Fpn.Testing.Running;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging;

namespace Fpn.Service.Tests.Security;

/// <summary>Keys come and go with their files, and a broken file changes nothing.</summary>
public sealed class ApiKeysTests : IDisposable
{
    private static readonly TimeSpan Interval = new KeyOptions().ReloadInterval;

    private readonly FakeClock _clock = new();
    private readonly LogLines _log = new();
    private readonly ILoggerFactory _loggers;

    public ApiKeysTests() => _loggers = LoggerFactory.Create(logging => logging.AddProvider(_log));

    public void Dispose()
    {
        _loggers.Dispose();
        _log.Dispose();
    }

    [Fact]
    public void TryFind_NothingConfigured_IsOffAndSaysSo()
    {
        using var keys = Open(new KeyOptions());
        Assert.False(keys.IsOn);
        Assert.False(keys.HasScope(KeyScope.Detect));
        Assert.Contains("No API keys are configured", Assert.Single(_log.All), StringComparison.Ordinal);
    }

    [Fact]
    public void TryFind_RightKey_IsItsHolder()
    {
        using var file = new KeyFile(
            KeyFile.Entry("alice", KeyFile.Alice), KeyFile.Entry("bob", KeyFile.Bob, "\"scopes\": [\"admin\"]"));
        using var keys = Open(file);
        Assert.True(keys.IsOn);
        AssertValid(keys, KeyFile.Alice, "alice");
        AssertValid(keys, KeyFile.Bob, "bob");
        Assert.True(keys.HasScope(KeyScope.Admin));
        Assert.False(keys.HasScope(KeyScope.Metrics));
    }

    [Theory]
    [InlineData("")]
    [InlineData("alice")]
    [InlineData("alice-5f2c9e7d41b8a06")]
    [InlineData("alice-5f2c9e7d41b8a0633")]
    [InlineData("Alice-5f2c9e7d41b8a063")]
    [InlineData("alice-5f2c9e7d41b8a064")]
    [InlineData("ålice-5f2c9e7d41b8a063")]
    [InlineData("alice-5f2c9e7d41b8a063,alice-5f2c9e7d41b8a063")]
    public void TryFind_AlmostAKey_IsNone(string key)
    {
        using var file = new KeyFile(KeyFile.Entry("alice", KeyFile.Alice));
        using var keys = Open(file);
        AssertNotValid(keys, key);
    }

    [Fact]
    public void Reload_RotatedFile_OverlapsThenRevokes()
    {
        using var file = new KeyFile(KeyFile.Entry("alice-1", KeyFile.Alice));
        using var keys = Open(file);
        file.Write(KeyFile.Entry("alice-1", KeyFile.Alice), KeyFile.Entry("alice-2", KeyFile.Bob));
        AssertNotValid(keys, KeyFile.Bob);

        _clock.Advance(Interval);
        AssertValid(keys, KeyFile.Alice, "alice-1");
        AssertValid(keys, KeyFile.Bob, "alice-2");

        file.Write(KeyFile.Entry("alice-2", KeyFile.Bob));
        _clock.Advance(Interval);
        AssertNotValid(keys, KeyFile.Alice);
        AssertValid(keys, KeyFile.Bob, "alice-2");
    }

    [Fact]
    public void Reload_SameLengthAndDate_IsSeenByItsContent()
    {
        using var file = new KeyFile(KeyFile.Entry("alice", KeyFile.Alice));
        using var keys = Open(file);
        var date = File.GetLastWriteTimeUtc(file.Path);
        var other = new string([.. KeyFile.Alice.Reverse()]);
        file.Write(KeyFile.Entry("alice", other));
        File.SetLastWriteTimeUtc(file.Path, date);

        _clock.Advance(Interval);
        AssertNotValid(keys, KeyFile.Alice);
        AssertValid(keys, other, "alice");
    }

    [Fact]
    public void Reload_BrokenFile_KeepsTheKeysAndSaysSoOnce()
    {
        using var file = new KeyFile(KeyFile.Entry("alice", KeyFile.Alice));
        using var keys = Open(file);
        file.WriteText($$"""[{ "name": "bob", "key": {{KeyFile.Bob}} }]""");
        _clock.Advance(Interval);
        _clock.Advance(Interval);
        AssertValid(keys, KeyFile.Alice, "alice");
        AssertNotValid(keys, KeyFile.Bob);
        var line = Assert.Single(_log.All, line => line.StartsWith("Error", StringComparison.Ordinal));
        Assert.Contains(file.Path, line, StringComparison.Ordinal);
        Assert.DoesNotContain("c0ffee", line, StringComparison.Ordinal);

        file.Write(KeyFile.Entry("bob", KeyFile.Bob));
        _clock.Advance(Interval);
        AssertNotValid(keys, KeyFile.Alice);
        AssertValid(keys, KeyFile.Bob, "bob");
    }

    [Fact]
    public void Reload_FileGone_KeepsTheKeysAndSaysSoOnceEachTime()
    {
        using var file = new KeyFile(KeyFile.Entry("alice", KeyFile.Alice));
        using var keys = Open(file);
        for (var times = 1; times <= 2; times++)
        {
            File.Delete(file.Path);
            _clock.Advance(Interval);
            _clock.Advance(Interval);
            AssertValid(keys, KeyFile.Alice, "alice");
            var errors = _log.All.Where(line => line.StartsWith("Error", StringComparison.Ordinal)).ToArray();
            Assert.Equal(times, errors.Length);
            Assert.Contains(file.Path, errors[^1], StringComparison.Ordinal);
            file.Write(KeyFile.Entry("alice", KeyFile.Alice));
            _clock.Advance(Interval);
        }
    }

    [Fact]
    public void Reload_EmptyList_LetsNobodyIn()
    {
        using var file = new KeyFile(KeyFile.Entry("alice", KeyFile.Alice));
        using var keys = Open(file);
        file.Write();
        _clock.Advance(Interval);
        Assert.True(keys.IsOn);
        AssertNotValid(keys, KeyFile.Alice);
        Assert.Contains(_log.All, line => line.Contains("No API key is valid", StringComparison.Ordinal));
    }

    [Fact]
    public void Reload_MountedFolderWhoseLinkIsSwapped_IsSeen()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Symbolic links are absent on Windows");
        using var first = new KeyFile(KeyFile.Entry("alice", KeyFile.Alice));
        using var second = new KeyFile(KeyFile.Entry("bob", KeyFile.Bob));
        using var mount = new KeyFile();
        File.Delete(mount.Path);
        var data = Path.Combine(mount.Folder, "..data");
        Directory.CreateSymbolicLink(data, first.Folder);
        File.CreateSymbolicLink(mount.Path, Path.Combine("..data", "keys.json"));
        File.WriteAllText(Path.Combine(mount.Folder, "notes.txt"), "not keys");
        using var keys = Open(new KeyOptions { File = mount.Folder });
        AssertValid(keys, KeyFile.Alice, "alice");

        Directory.Delete(data);
        Directory.CreateSymbolicLink(data, second.Folder);
        _clock.Advance(Interval);
        AssertNotValid(keys, KeyFile.Alice);
        AssertValid(keys, KeyFile.Bob, "bob");
    }

    [Fact]
    public void Open_FileAndValue_AreBothValidAndTheValueStays()
    {
        using var file = new KeyFile(KeyFile.Entry("alice", KeyFile.Alice));
        using var keys = Open(new KeyOptions { File = file.Path, Json = $"[{KeyFile.Entry("bob", KeyFile.Bob)}]" });
        AssertValid(keys, KeyFile.Alice, "alice");
        AssertValid(keys, KeyFile.Bob, "bob");
        file.Write();
        _clock.Advance(Interval);
        AssertNotValid(keys, KeyFile.Alice);
        AssertValid(keys, KeyFile.Bob, "bob");
    }

    [Fact]
    public void Open_RelativeFile_BeginsAtTheContentRoot()
    {
        using var file = new KeyFile(KeyFile.Entry("alice", KeyFile.Alice));
        using var keys = Open(new KeyOptions { File = "keys.json" }, file.Folder);
        AssertValid(keys, KeyFile.Alice, "alice");
    }

    [Fact]
    public void Open_SameNameOrSameKeyTwice_IsRefused()
    {
        using var names = new KeyFile(KeyFile.Entry("alice", KeyFile.Alice), KeyFile.Entry("Alice", KeyFile.Bob));
        var exception = Assert.Throws<SettingsException>(() => Open(names));
        Assert.Equal($"{names.Path}: the name 'Alice' is given twice.", exception.Message);
        using var same = new KeyFile(KeyFile.Entry("alice", KeyFile.Alice), KeyFile.Entry("bob", KeyFile.Alice));
        exception = Assert.Throws<SettingsException>(() => Open(same));
        Assert.Equal($"{same.Path}: 'bob' and 'alice' have the same key.", exception.Message);
    }

    [Fact]
    public void Open_NoSuchFile_IsRefusedByName()
    {
        var exception = Assert.Throws<SettingsException>(() => Open(new KeyOptions { File = "/no/such/keys.json" }));
        Assert.Contains("'Fpn:Keys:File'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("/no/such/keys.json", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reload_RateThatStays_KeepsWhatWasSpent()
    {
        const string Slow = "\"scopes\": [\"detect\"], \"requestsPerMinute\": 1, \"burst\": 1";
        using var file = new KeyFile(KeyFile.Entry("alice", KeyFile.Alice, Slow));
        using var keys = Open(file);
        Assert.True(Find(keys, KeyFile.Alice)!.TryEnter(out _));
        file.Write(KeyFile.Entry("alice", KeyFile.Alice, Slow), KeyFile.Entry("bob", KeyFile.Bob));
        _clock.Advance(Interval);
        AssertValid(keys, KeyFile.Bob, "bob");
        Assert.False(Find(keys, KeyFile.Alice)!.TryEnter(out var wait));
        Assert.Equal(60 - Interval.TotalSeconds, wait.TotalSeconds, 1e-3);

        var faster = Slow.Replace("\"burst\": 1", "\"burst\": 2", StringComparison.Ordinal);
        file.Write(KeyFile.Entry("alice", KeyFile.Alice, faster));
        _clock.Advance(Interval);
        Assert.True(Find(keys, KeyFile.Alice)!.TryEnter(out _));
    }

    [Fact]
    public void ChargeMore_ImagesOfABatch_AreWaitedForAfterwards()
    {
        using var file = new KeyFile(
            KeyFile.Entry(
                "alice", KeyFile.Alice, "\"scopes\": [\"detect\"], \"requestsPerMinute\": 60, \"burst\": 2"),
            KeyFile.Entry("bob", KeyFile.Bob));
        using var keys = Open(file);
        var (alice, bob) = (Find(keys, KeyFile.Alice)!, Find(keys, KeyFile.Bob)!);
        Assert.True(alice.TryEnter(out _));
        alice.ChargeMore(63);
        Assert.False(alice.TryEnter(out var wait));
        Assert.Equal(63, wait.TotalSeconds, 1e-6);
        Assert.True(bob.TryEnter(out _));
        bob.ChargeMore(63);
        Assert.True(bob.TryEnter(out _));
    }

    private static Caller? Find(ApiKeys keys, string key) => keys.TryFind(key, out var holder) ? holder : null;

    private static void AssertValid(ApiKeys keys, string key, string name) => Assert.Equal(name, Find(keys, key)?.Name);

    private static void AssertNotValid(ApiKeys keys, string key) => Assert.Null(Find(keys, key));

    private ApiKeys Open(KeyFile file) => Open(new KeyOptions { File = file.Path });

    private ApiKeys Open(KeyOptions options, string contentRoot = "/") =>
        new(
            options,
            new TokenOptions(),
            new HostingEnvironment { ContentRootPath = contentRoot },
            _clock,
            _loggers.CreateLogger<ApiKeys>());
}
