using System.ComponentModel.DataAnnotations;

namespace Fpn.Service.Lifetime;

/// <summary>The end of the service (<c>Fpn:Shutdown</c>).</summary>
internal sealed class ShutdownOptions
{
    /// <summary>
    /// Time between SIGTERM and the closing of the port, in which requests are still served while <c>/health/ready</c>
    /// fails. Default 0; as long as a load balancer needs to notice.
    /// </summary>
    public TimeSpan Delay { get; set; }

    /// <summary>
    /// Longest time from SIGTERM to the end of the process. Default 30 s. Requests that still wait are answered 503.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00", ErrorMessage = "{0} must be from {1} to {2}")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(30);
}
