using System.ComponentModel.DataAnnotations;
using Fpn.Service.Lifetime;
using Fpn.Serving.Sizing;
using Fpn.Settings;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Fpn.Service.Tests.Settings;

/// <summary>Settings are read in full or refused by name.</summary>
public sealed class SettingsCatalogueTests
{
    private enum Color
    {
        Red,
        Green,
    }

    [Fact]
    public void Add_NothingSet_KeepsDefaults()
    {
        var options = Read();
        Assert.Equal((5, 7L, TimeSpan.FromSeconds(2), Color.Red, "x", false), (options.Count, options.Bytes, options.Delay, options.Paint, options.Name, options.Flag));
    }

    [Fact]
    public void Add_AllSet_ReadsEach()
    {
        var options = Read(
            ("Fpn:Room:Count", "9"), ("Fpn:Room:Bytes", "5000000000"), ("Fpn:Room:Delay", "5ms"),
            ("Fpn:Room:Paint", "green"), ("Fpn:Room:Name", "a b"), ("Fpn:Room:Flag", "TRUE"));
        Assert.Equal(
            (9, 5_000_000_000L, TimeSpan.FromMilliseconds(5), Color.Green, "a b", true),
            (options.Count, options.Bytes, options.Delay, options.Paint, options.Name, options.Flag));
    }

    [Fact]
    public void Add_NamesInOtherCase_AreRead() => Assert.Equal(9, Read(("fpn:ROOM:count", "9")).Count);

    [Theory]
    [InlineData("0", 0)]
    [InlineData("5ms", 5_000)]
    [InlineData("5 ms", 5_000)]
    [InlineData("250us", 250)]
    [InlineData("1.5s", 1_500_000)]
    [InlineData("2m", 120_000_000)]
    [InlineData("1h", 3_600_000_000)]
    [InlineData("24h", 86_400_000_000)]
    [InlineData("00:00:30", 30_000_000)]
    [InlineData("1:02:03", 3_723_000_000)]
    [InlineData("00:00:00.25", 250_000)]
    public void Add_Duration_IsRead(string text, long microseconds) =>
        Assert.Equal(TimeSpan.FromMicroseconds(microseconds), Read(("Fpn:Room:Delay", text)).Delay);

    [Theory]
    [InlineData("5")]
    [InlineData("1.5")]
    [InlineData("-5ms")]
    [InlineData("ms")]
    [InlineData("")]
    [InlineData("5 days")]
    [InlineData("25h")]
    [InlineData("5,5ms")]
    [InlineData("1e3ms")]
    [InlineData("-00:00:05")]
    [InlineData("2.00:00:00")]
    [InlineData("30:00")]
    public void Add_NoDurationWithAUnit_IsRefused(string text) =>
        AssertRefused($"Setting 'Fpn:Room:Delay' must be a duration with a unit, such as 5ms, 30s or 00:00:30; it is '{text}'.", ("Fpn:Room:Delay", text));

    [Theory]
    [InlineData("Fpn:Rooms:Count", "9", "Setting 'Fpn:Rooms' is unknown; known here: Room.")]
    [InlineData("Fpn:Room:Cuont", "9", "Setting 'Fpn:Room:Cuont' is unknown; known here: Count, Bytes, Delay, Paint, Name, Flag.")]
    [InlineData("Fpn:Room:Count:Inner", "9", "Setting 'Fpn:Room:Count' must be a single value.")]
    [InlineData("Fpn:Room", "9", "Setting 'Fpn:Room' must hold settings; it has a value.")]
    [InlineData("Fpn", "9", "Setting 'Fpn' must hold settings; it has a value.")]
    [InlineData("Fpn:Room:Count", "many", "Setting 'Fpn:Room:Count' must be a whole number; it is 'many'.")]
    [InlineData("Fpn:Room:Count", "9.5", "Setting 'Fpn:Room:Count' must be a whole number; it is '9.5'.")]
    [InlineData("Fpn:Room:Count", "99999999999", "Setting 'Fpn:Room:Count' must be a whole number; it is '99999999999'.")]
    [InlineData("Fpn:Room:Count", "", "Setting 'Fpn:Room:Count' must be a whole number; it is ''.")]
    [InlineData("Fpn:Room:Count", "0", "Setting 'Fpn:Room:Count' must be from 1 to 10; it is '0'.")]
    [InlineData("Fpn:Room:Count", "11", "Setting 'Fpn:Room:Count' must be from 1 to 10; it is '11'.")]
    [InlineData("Fpn:Room:Bytes", "20MiB", "Setting 'Fpn:Room:Bytes' must be a whole number; it is '20MiB'.")]
    [InlineData("Fpn:Room:Paint", "blue", "Setting 'Fpn:Room:Paint' must be one of red, green; it is 'blue'.")]
    [InlineData("Fpn:Room:Paint", "1", "Setting 'Fpn:Room:Paint' must be one of red, green; it is '1'.")]
    [InlineData("Fpn:Room:Paint", "red,green", "Setting 'Fpn:Room:Paint' must be one of red, green; it is 'red,green'.")]
    [InlineData("Fpn:Room:Flag", "yes", "Setting 'Fpn:Room:Flag' must be true or false; it is 'yes'.")]
    [InlineData("Fpn:Room:Name", "", "Setting 'Fpn:Room:Name' must not be empty; it is ''.")]
    public void Add_WrongSetting_IsRefusedByName(string name, string value, string message) => AssertRefused(message, (name, value));

    [Theory]
    [InlineData("Batching", "Deadline")]
    [InlineData("Shutdown", "Timeout")]
    public void Add_TimesThatNoRequestCouldMeet_AreRefused(string section, string name)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new($"Fpn:{section}:{name}", "0")]).Build();
        var settings = new SettingsCatalogue(configuration, new ServiceCollection());
        var exception = Assert.Throws<SettingsException>(() =>
        {
            settings.Add<BatchingOptions>("Batching");
            settings.Add<ShutdownOptions>("Shutdown");
        });
        Assert.StartsWith($"Setting 'Fpn:{section}:{name}' must be from 00:00:00.0010000 to 1.00:00:00", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RefuseUnknown_SectionThatNoRoomAdded_NamesItAndThoseThatWereAdded()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new("Fpn:Room:Count", "9"), new("Fpn:Attic:Count", "9")])
            .Build();
        var settings = new SettingsCatalogue(configuration, new ServiceCollection());
        settings.Add<RoomOptions>("Room");
        settings.Add<ShutdownOptions>("Shutdown");
        Assert.Equal(
            "Setting 'Fpn:Attic' is unknown; known here: Room, Shutdown.",
            Assert.Throws<SettingsException>(settings.RefuseUnknown).Message);
        settings.Add<RoomOptions>("Attic");
        settings.RefuseUnknown();
    }

    [Fact]
    public void Add_EnvironmentStyle_OverridesFiles()
    {
        const string Prefix = "SETTINGS_CATALOGUE_TESTS_";
        Environment.SetEnvironmentVariable($"{Prefix}Fpn__Room__Delay", "5ms");
        try
        {
            var configuration = new ConfigurationBuilder()
                .AddInMemoryCollection([new("Fpn:Room:Delay", "1s"), new("Fpn:Room:Count", "3")])
                .AddEnvironmentVariables(Prefix)
                .Build();
            var options = Read(configuration);
            Assert.Equal((TimeSpan.FromMilliseconds(5), 3), (options.Delay, options.Count));
        }
        finally
        {
            Environment.SetEnvironmentVariable($"{Prefix}Fpn__Room__Delay", null);
        }
    }

    private static void AssertRefused(string message, params (string Name, string Value)[] settings) =>
        Assert.Equal(message, Assert.Throws<SettingsException>(() => Read(settings)).Message);

    private static RoomOptions Read(params (string Name, string Value)[] settings) => Read(new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value)))
        .Build());

    private static RoomOptions Read(IConfiguration configuration)
    {
        var services = new ServiceCollection();
        var settings = new SettingsCatalogue(configuration, services);
        var options = settings.Add<RoomOptions>("Room");
        settings.RefuseUnknown();
        using var provider = services.BuildServiceProvider();
        Assert.Same(options, provider.GetRequiredService<RoomOptions>());
        return options;
    }

    private sealed class RoomOptions
    {
        [Range(1, 10, ErrorMessage = "{0} must be from {1} to {2}")]
        public int Count { get; set; } = 5;

        public long Bytes { get; set; } = 7;

        public TimeSpan Delay { get; set; } = TimeSpan.FromSeconds(2);

        public Color Paint { get; set; } = Color.Red;

        [Required(ErrorMessage = "{0} must not be empty")]
        public string Name { get; set; } = "x";

        public bool Flag { get; set; }
    }
}
