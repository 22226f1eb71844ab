using Fpn.Service.Configuration;
using Serilog.Events;

namespace Fpn.Service.Observability;

/// <summary>Checks the levels in section <c>Serilog</c>, where a wrong one would fail without naming its setting.</summary>
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
            if (setting.Value is { } level && !level.StartsWith('$')
                && !Enum.GetNames<LogEventLevel>().Contains(level, StringComparer.OrdinalIgnoreCase))
            {
                throw new SettingsException(
                    $"Setting '{setting.Path}' must be one of {string.Join(", ", Enum.GetNames<LogEventLevel>())}; it is '{level}'.");
            }
        }
    }
}
