using Fpn.Service.Problems;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Fpn.Service.Formats;

/// <summary>Chooses the output format from the parameter <c>format</c> and the header <c>Accept</c>.</summary>
/// <remarks>
/// <para>
/// <c>format</c> beats <c>Accept</c>, which then only chooses between the media types of that format, and is ignored
/// where it excludes them all. Without <c>format</c>, RFC 9110 section 12.5.1 holds: of each served media type the most
/// specific range that covers it gives the quality; 0 excludes it. The highest quality wins, then the range that names
/// more, then the order in which the media types stand here.
/// </para>
/// <para>An <c>Accept</c> that is not a list of media ranges is ignored.</para>
/// </remarks>
internal static class FormatNegotiation
{
    /// <summary>Everything that <c>/detect</c> serves, the preferred choice first.</summary>
    public static readonly IReadOnlyList<OutputChoice> Served =
    [
        new(OutputFormat.Json, "application/json"),
        new(OutputFormat.Coco, "application/json", NamesFormat: false),
        new(OutputFormat.Coco, "application/vnd.coco+json"),
        new(OutputFormat.Yolo, "text/plain"),
        new(OutputFormat.Voc, "application/xml"),
        new(OutputFormat.Voc, "text/xml"),
        new(OutputFormat.Image, "image/png"),
        new(OutputFormat.Image, "image/jpeg"),
    ];

    /// <summary>Whether the answer depends on <c>Accept</c>, which <c>Vary</c> then states.</summary>
    /// <param name="asked">The parameter, if it was given.</param>
    /// <param name="served">What the endpoint serves.</param>
    public static bool DependsOnAccept(OutputFormat? asked, IReadOnlyList<OutputChoice> served) =>
        served.Count(choice => asked is null || choice.Format == asked) > 1;

    /// <summary>Chooses how to answer.</summary>
    /// <param name="asked">The parameter, if it was given; a format that is served.</param>
    /// <param name="accept">The header's values.</param>
    /// <param name="served">What the endpoint serves, the preferred choice first; null for
    /// <see cref="Served"/>.</param>
    /// <returns>The choice, or the problem that lists what is served.</returns>
    public static Outcome<OutputChoice> Choose(
        OutputFormat? asked, StringValues accept, IReadOnlyList<OutputChoice>? served = null)
    {
        served ??= Served;
        if (accept.Count == 0 || accept == "*/*" || !MediaTypeHeaderValue.TryParseList(accept, out var ranges))
        {
            return First(asked, served);
        }

        OutputChoice? best = null;
        (double Quality, Specificity Specificity) bestRank = default;
        foreach (var choice in served)
        {
            if (asked is null ? !choice.NamesFormat : choice.Format != asked)
            {
                continue;
            }

            var rank = Rank(choice.MediaType, ranges);
            if (rank.Quality > 0 && (best is null || rank.CompareTo(bestRank) > 0))
            {
                (best, bestRank) = (choice, rank);
            }
        }

        return best is not null ? best
            : asked is not null ? First(asked, served)
            : Excluded(accept.ToString(), served);
    }

    /// <summary>The problem of an <c>Accept</c> that nothing fits.</summary>
    public static Problem Excluded(string accept, IReadOnlyList<OutputChoice>? served = null) =>
        Problem.NotAcceptable($"Accept '{accept}' excludes everything that is served here: {Types(served ?? Served)}.");

    /// <summary>The media types by which <c>Accept</c> can ask.</summary>
    private static string Types(IReadOnlyList<OutputChoice> served) =>
        string.Join(", ", served.Where(choice => choice.NamesFormat).Select(choice => choice.MediaType));

    private static OutputChoice First(OutputFormat? asked, IReadOnlyList<OutputChoice> served) =>
        served.First(choice => asked is null || choice.Format == asked);

    private static (double Quality, Specificity Specificity) Rank(string mediaType, IList<MediaTypeHeaderValue> ranges)
    {
        (double Quality, Specificity Specificity) rank = default;
        foreach (var range in ranges)
        {
            var specificity = Cover(range, mediaType);
            var quality = range.Quality ?? 1;
            if (specificity != Specificity.None
                && (specificity, quality).CompareTo((rank.Specificity, rank.Quality)) > 0)
            {
                rank = (quality, specificity);
            }
        }

        return rank;
    }

    /// <summary>
    /// How closely a range names a media type. Parameters such as charset=utf-8 do not change the answer.
    /// </summary>
    private static Specificity Cover(MediaTypeHeaderValue range, string mediaType) =>
        range.MatchesAllTypes ? Specificity.Anything
        : range.MediaType.Equals(mediaType, StringComparison.OrdinalIgnoreCase) ? Specificity.Exact
        : range.MatchesAllSubTypes && IsOfType(mediaType, range) ? Specificity.Type
        : Specificity.None;

    private static bool IsOfType(string mediaType, MediaTypeHeaderValue range) =>
        mediaType.StartsWith($"{range.Type}/", StringComparison.OrdinalIgnoreCase);

    private enum Specificity
    {
        None,
        Anything,
        Type,
        Exact,
    }
}
