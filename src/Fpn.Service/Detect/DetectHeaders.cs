using System.Globalization;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Service.Wire;
using Fpn.Serving.Requests;

namespace Fpn.Service.Detect;

/// <summary>The headers with which a client says how urgent a request is.</summary>
/// <param name="Priority"><c>X-Priority</c>: high, normal (default) or low.</param>
/// <param name="Timeout"><c>X-Request-Timeout-Ms</c>: shortens the deadline; null leaves the configured one.</param>
internal sealed record DetectHeaders(RequestPriority Priority, TimeSpan? Timeout)
{
    /// <summary>Reads the headers.</summary>
    /// <param name="headers">Those of the request.</param>
    /// <param name="caller">Who asks: its highest priority is the default where that is below normal.</param>
    /// <returns>What they say, or the problem that names the wrong one.</returns>
    public static Outcome<DetectHeaders> Parse(IHeaderDictionary headers, Caller caller)
    {
        // Higher ones are smaller numbers.
        var priority = caller.HighestPriority > RequestPriority.Normal ? caller.HighestPriority : RequestPriority.Normal;
        if (headers[ApiHeaders.Priority] is { Count: > 0 } priorities)
        {
            switch (priorities.ToString().ToLowerInvariant())
            {
                case "high":
                    priority = RequestPriority.High;
                    break;
                case "normal":
                    priority = RequestPriority.Normal;
                    break;
                case "low":
                    priority = RequestPriority.Low;
                    break;
                default:
                    return Problem.BadParameter(ApiHeaders.Priority, $"'{priorities}' is not high, normal or low.");
            }

            if (caller.Check(priority) is { } problem)
            {
                return problem;
            }
        }

        if (headers[ApiHeaders.Timeout] is not { Count: > 0 } timeouts)
        {
            return new DetectHeaders(priority, null);
        }

        return int.TryParse(timeouts.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds > 0
            ? new DetectHeaders(priority, TimeSpan.FromMilliseconds(milliseconds))
            : Problem.BadParameter(ApiHeaders.Timeout, $"'{timeouts}' is not a whole number of milliseconds from 1 to {int.MaxValue}.");
    }
}
