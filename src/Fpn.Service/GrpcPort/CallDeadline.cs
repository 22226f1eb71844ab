using System.Globalization;
using Fpn.Service.Problems;
using Fpn.Serving.Requests;

namespace Fpn.Service.GrpcPort;

/// <summary>gRPC's own deadline of a call, from the arrival of its headers.</summary>
/// <param name="Arrived">Time stamp of the headers' arrival.</param>
/// <param name="Timeout">How long the answer is worth waiting for; null for no deadline.</param>
internal sealed record CallDeadline(long Arrived, TimeSpan? Timeout)
{
    private const string Header = "grpc-timeout";

    /// <summary>Eight digits at most, as gRPC has it, and the unit.</summary>
    private const int LongestText = 9;

    /// <summary>Longer than any deadline that can be configured, so that longer times make no difference.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    /// <summary>Takes the deadline out of the headers.</summary>
    /// <remarks>
    /// Left there, the framework would end the call at the deadline and cancel its request, which metrics count as a
    /// client that went away; the queue has deadlines of its own.
    /// </remarks>
    public static Outcome<CallDeadline> Take(IHeaderDictionary headers, TimeProvider clock)
    {
        var arrived = clock.GetTimestamp();
        if (headers[Header] is not { Count: > 0 } values)
        {
            return new CallDeadline(arrived, null);
        }

        var text = values.ToString();
        headers.Remove(Header);
        return Parse(text) is { } timeout
            ? new CallDeadline(arrived, timeout)
            : Problem.BadParameter(Header, $"'{text}' is not a time: up to eight digits and one of H, M, S, m, u, n.");
    }

    /// <summary>The time that is left; negative once the deadline has passed, null without a deadline.</summary>
    public TimeSpan? Left(TimeProvider clock) => Timeout - clock.GetElapsedTime(Arrived);

    /// <summary>The problem that the deadline has passed.</summary>
    public Problem Passed() => FailureProblems.ProblemFor(DetectionFailure.DeadlinePassed(Timeout!.Value));

    private static TimeSpan? Parse(string text)
    {
        if (text.Length is < 2 or > LongestText
            || !long.TryParse(text.AsSpan()[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return null;
        }

        TimeSpan? timeout = text[^1] switch
        {
            'H' => TimeSpan.FromHours(number),
            'M' => TimeSpan.FromMinutes(number),
            'S' => TimeSpan.FromSeconds(number),
            'm' => TimeSpan.FromMilliseconds(number),
            'u' => TimeSpan.FromMicroseconds(number),
            'n' => TimeSpan.FromTicks(number / 100),
            _ => null,
        };
        return timeout > Longest ? Longest : timeout;
    }
}
