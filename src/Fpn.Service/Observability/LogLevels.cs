using Fpn.Settings;
using Serilog.Events;

namespace Fpn.Service.Observability;

/// <summary>Checks the levels in section <c>Serilog</c>, where a wrong one would fail without naming its setting, and in
/// .NET's own, which Serilog does not read: a wrong one there is a mistake all the same.</summary>
internal static class LogLevels
{
    /// <summary>Refuses a level that is none.</summary>
    /// <exception cref="SettingsException">There is one.</exception>
    public static void Require(IConfiguration configuration)
    {
        var minimum = configuration.GetSection("Serilog:MinimumLevel");
        foreach (var setting in minimum.GetSection("Override").GetChildren().Append(minimum).Append(minimum.GetSection("Default")))
        {
            // Names that begin so are switches, which other settings declare.
            if (setting.Value?.StartsWith('$') != true)
            {
                Require<LogEventLevel>(setting);
            }
        }

        foreach (var setting in configuration.GetSection("Logging:LogLevel").GetChildren())
        {
            Require<LogLevel>(setting);
        }
    }

    private static void Require<TLevel>(IConfigurationSection setting)
        where TLevel : struct, Enum
    {
        if (setting.Value is { } level && !Enum.GetNames<TLevel>().Contains(level, StringComparer.OrdinalIgnoreCase))
        {
            throw new SettingsException(
                $"Setting '{setting.Path}' must be one of {string.Join(", ", Enum.GetNames<TLevel>())}; it is '{level}'.");
        }
    }
}
