using Fpn.Settings;
using Serilog.Events;

namespace Fpn.Service.Observability;

/// <summary>
/// Checks the log levels in section <c>Serilog</c>, where a wrong one would fail without the name of its setting, and
/// in .NET's own section, which Serilog does not read: a wrong one there is a mistake all the same.
/// </summary>
internal static class LogLevels
{
    /// <summary>Refuses levels that do not exist.</summary>
    /// <exception cref="SettingsException">There is one.</exception>
    public static void Require(IConfiguration configuration)
    {
        var minimum = configuration.GetSection("Serilog:MinimumLevel");
        var levels = minimum.GetSection("Override").GetChildren().Append(minimum).Append(minimum.GetSection("Default"));
        foreach (var setting in levels)
        {
            // Values that begin so name switches, which other settings declare.
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
                $"Setting '{setting.Path}' must be one of {string.Join(", ", Enum.GetNames<TLevel>())}; "
                + $"it is '{level}'.");
        }
    }
}
