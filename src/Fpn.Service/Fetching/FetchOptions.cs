using System.ComponentModel.DataAnnotations;

namespace Fpn.Service.Fetching;

/// <summary>Images that a request names by URL (<c>Fpn:Fetch</c>). Without hosts, every URL is refused.</summary>
internal sealed class FetchOptions
{
    /// <summary>
    /// Hosts that images are fetched from, separated by commas: a name or an address with an optional port, or
    /// <c>*.example.com</c> for every name below that one. Without a port, those of http and https (80 and 443).
    /// Default: none, and nothing is fetched.
    /// </summary>
    public string Hosts { get; set; } = string.Empty;

    /// <summary>
    /// Addresses and networks that are not public and may still be connected to, separated by commas, such as
    /// <c>10.1.0.0/16</c>. Default: none.
    /// </summary>
    public string Networks { get; set; } = string.Empty;

    /// <summary>
    /// A JSON file that gives origins the value of their <c>Authorization</c> header. Relative to the content root.
    /// Default: none. Read once, at start.
    /// </summary>
    [MinLength(1, ErrorMessage = "{0} must not be empty")]
    public string? CredentialsFile { get; set; }

    /// <summary>
    /// The same JSON as a value, for the environment (<c>Fpn__Fetch__CredentialsJson</c>). Default: none.
    /// </summary>
    [MinLength(1, ErrorMessage = "{0} must not be empty")]
    public string? CredentialsJson { get; set; }

    /// <summary>
    /// From the start of a fetch to the last byte of its image: the wait for its turn, looking up the name, connecting
    /// and redirects included; 504 afterwards. Default 10 s; 100 ms to 5 min.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:05:00", ErrorMessage = "{0} must be from {1} to {2}")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Most redirects of one fetch. Default 3; 0 to 10. More are answered 502.</summary>
    [Range(0, 10, ErrorMessage = "{0} must be from {1} to {2} redirects")]
    public int MaxRedirects { get; set; } = 3;

    /// <summary>
    /// Most fetches at one time, of all requests together; further ones wait. Default 16; 1 to 64: each holds a file
    /// descriptor.
    /// </summary>
    [Range(1, 64, ErrorMessage = "{0} must be from {1} to {2} fetches")]
    public int MaxConcurrent { get; set; } = 16;
}
