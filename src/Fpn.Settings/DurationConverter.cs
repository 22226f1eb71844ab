using System.Globalization;

namespace Fpn.Settings;

/// <summary>
/// Reads durations as people write them: a number with a unit (<c>250us</c>, <c>5ms</c>, <c>30s</c>, <c>2m</c>,
/// <c>1h</c>), or <c>hh:mm:ss</c>.
/// </summary>
/// <remarks>A bare number is refused, except 0: .NET would read <c>5</c> as five days.</remarks>
internal static class DurationConverter
{
    private static readonly (string Unit, double Milliseconds)[] Units =
        [("us", 1e-3), ("ms", 1), ("s", 1e3), ("m", 60e3), ("h", 3600e3)];

    /// <summary>Describes valid durations, for messages.</summary>
    public const string Expected = "a duration with a unit, such as 5ms, 30s or 00:00:30";

    /// <summary>Parses a text; false when it is not a duration, is negative, or is longer than a day.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        text = text.Trim();
        duration = TimeSpan.Zero;
        if (text == "0")
        {
            return true;
        }

        if (text.Contains(':', StringComparison.Ordinal))
        {
            return TimeSpan.TryParseExact(text, ["c", @"h\:mm\:ss"], CultureInfo.InvariantCulture, out duration)
                && IsInRange(duration);
        }

        foreach (var (unit, milliseconds) in Units)
        {
            if (!text.EndsWith(unit, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            var digits = text.AsSpan(0, text.Length - unit.Length).TrimEnd();
            if (double.TryParse(
                    digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
                && number * milliseconds <= TimeSpan.FromDays(1).TotalMilliseconds)
            {
                duration = TimeSpan.FromMilliseconds(number * milliseconds);
                return true;
            }
        }

        return false;
    }

    private static bool IsInRange(TimeSpan duration) => duration >= TimeSpan.Zero && duration <= TimeSpan.FromDays(1);
}
