using Fpn.Service.Problems;
using Fpn.Serving.Requests;

namespace Fpn.Service.Fetching;

/// <summary>Why an image was not fetched, as the client reads it.</summary>
/// <remarks>
/// Clients learn what they need to mend their request or to ask the operator, and nothing about the network: no
/// address, no host that a redirect named, and of the host's answer only the status.
/// </remarks>
/// <param name="parameter">The name of what held the URL.</param>
internal readonly struct FetchProblems(string parameter)
{
    /// <summary>Nothing is fetched at all.</summary>
    public Problem IsOff() => Refused(
        "Images are not fetched from URLs here: the setting Fpn:Fetch:Hosts lists no host. Send the image itself.");

    /// <summary>The URL cannot be one of an image.</summary>
    public Problem NotAUrl() => Refused(
        "An image's URL must be absolute, begin with http:// or https://, name no user, and have at most "
        + $"{FetchTarget.LongestUrl} characters.");

    /// <summary>The host of the URL is not allowed.</summary>
    public Problem HostNotAllowed(FetchTarget target) => Refused(
        $"Images are not fetched from '{target.Uri.IdnHost}', port {target.Uri.Port}, here: "
        + "the setting Fpn:Fetch:Hosts does not list it.");

    /// <summary>The host of the URL, or one that it redirects to, has an address that is not allowed.</summary>
    public Problem AddressNotAllowed() => Refused(
        "The URL leads to an address that is not public: the setting Fpn:Fetch:Networks does not list it.");

    /// <summary>The URL redirects to a host that is not allowed.</summary>
    public Problem RedirectNotAllowed() => Refused(
        "The URL redirects to another host, port or scheme that images are not fetched from here: the setting "
        + "Fpn:Fetch:Hosts does not list it, or it leads from https to http.");

    /// <summary>The URL redirects too often.</summary>
    public Problem TooManyRedirects(int limit) =>
        Failed($"The URL redirects more than {limit} times, the most that is followed (Fpn:Fetch:MaxRedirects).");

    /// <summary>The host answered, but without an image.</summary>
    public Problem Status(int status) => Failed($"The URL was answered with status {status}, and not with an image.");

    /// <summary>The host did not answer, or not in full.</summary>
    public Problem Unreachable() => Failed("The URL's host cannot be reached, or breaks off its answer.");

    /// <summary>The image is empty.</summary>
    public Problem Empty() => Problem.NoImage("The URL was answered without a byte.", parameter);

    /// <summary>The image took too long.</summary>
    public Problem TooSlow(TimeSpan limit) =>
        new(
            StatusCodes.Status504GatewayTimeout,
            "fetch-too-slow",
            "Fetch too slow",
            $"The image did not arrive within {limit.TotalSeconds:0.###} s (Fpn:Fetch:Timeout).")
        {
            Parameter = parameter,
        };

    /// <summary>Other fetches were in front for too long.</summary>
    public static Problem Busy(int limit) => FailureProblems.ProblemFor(
        FailureKind.QueueFull, $"All {limit} fetches that may run at one time (Fpn:Fetch:MaxConcurrent) are taken.");

    private Problem Refused(string detail) => Problem.BadParameter(parameter, detail);

    private Problem Failed(string detail) =>
        new(StatusCodes.Status502BadGateway, "fetch-failed", "Fetch failed", detail) { Parameter = parameter };
}
