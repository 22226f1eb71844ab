using System.Globalization;
using Fpn.Service.Problems;

namespace Fpn.Service.Answers;

/// <summary>Reads the numbers of a request, which come as text: the same for every protocol.</summary>
internal static class NumberText
{
    /// <summary>The problem of a text that is not a number from 0 to 1.</summary>
    public static Problem NotAFraction(string parameter, string text) =>
        Problem.BadParameter(parameter, $"'{text}' is not a number from 0 to 1.");

    /// <summary>Reads a number from 0 to 1.</summary>
    /// <param name="parameter">Its name in the client's request.</param>
    /// <param name="text">The number.</param>
    /// <param name="fraction">Receives it.</param>
    /// <returns>Null, or the problem.</returns>
    public static Problem? ReadFraction(string parameter, string text, out double fraction)
    {
        // Written so that NaN fails.
        var isNumber = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out fraction);
        return isNumber && fraction >= 0 && fraction <= 1 ? null : NotAFraction(parameter, text);
    }

    /// <summary>Reads a limit: a whole number of at least 1, however large.</summary>
    /// <param name="parameter">Its name in the client's request.</param>
    /// <param name="text">The number.</param>
    /// <param name="limit">Receives it; one that is too large for an int means no limit.</param>
    /// <returns>Null, or the problem.</returns>
    public static Problem? ReadLimit(string parameter, string text, out int limit)
    {
        var isNumber = text.Length > 0 && text.All(char.IsAsciiDigit);
        var fits = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        limit = fits ? number : int.MaxValue;
        return isNumber && limit >= 1
            ? null
            : Problem.BadParameter(parameter, $"'{text}' is not a whole number of at least 1.");
    }
}
