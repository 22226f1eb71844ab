using System.ComponentModel.DataAnnotations;

namespace Fpn.Service.Connections;

/// <summary>What a connection may cost before it has asked for anything (<c>Fpn:Connections</c>).</summary>
internal sealed class ConnectionOptions
{
    /// <summary>Connections at one time; further ones are closed at once. Default 1024; 1 to 1,000,000.</summary>
    [Range(1, 1_000_000, ErrorMessage = "{0} must be from {1} to {2} connections")]
    public int Max { get; set; } = 1024;

    /// <summary>
    /// From the first byte of a request to the end of its headers; 408 afterwards. Default 15 s; 1 s to 10 min.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "00:10:00", ErrorMessage = "{0} must be from {1} to {2}")]
    public TimeSpan HeadersTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long a connection may be idle, before its first request and between requests. Default 130 s, more than the
    /// 60 s of most proxies; 1 s to 1 h.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00", ErrorMessage = "{0} must be from {1} to {2}")]
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromSeconds(130);

    /// <summary>
    /// The mean rate, in bytes a second, that bodies must arrive at (408) and answers be taken at (the connection is
    /// cut), after a grace of 5 s. Default 1024; 1 to 1 GiB.
    /// </summary>
    [Range(1, 1 << 30, ErrorMessage = "{0} must be from {1} to {2} bytes")]
    public int MinBytesPerSecond { get; set; } = 1024;
}
