using System.ComponentModel.DataAnnotations;

namespace Fpn.Service.Connections;

/// <summary>Which proxies are believed about the client (<c>Fpn:Proxies</c>).</summary>
internal sealed class ProxyOptions
{
    /// <summary>
    /// Addresses and networks, separated by commas, such as <c>10.0.0.5, 10.1.0.0/16</c>, whose <c>X-Forwarded-For</c>
    /// and <c>X-Forwarded-Proto</c> are believed. Default: none.
    /// </summary>
    public string Trusted { get; set; } = string.Empty;

    /// <summary>How many proxies, one behind the other, are believed at most. Default 1; 1 to 16.</summary>
    [Range(1, 16, ErrorMessage = "{0} must be from {1} to {2} proxies")]
    public int ForwardLimit { get; set; } = 1;
}
