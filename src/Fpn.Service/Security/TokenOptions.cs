using System.ComponentModel.DataAnnotations;
using Fpn.Serving.Requests;

namespace Fpn.Service.Security;

/// <summary>Tokens of an OpenID Connect issuer that callers may send instead of an API key (<c>Fpn:Jwt</c>).</summary>
internal sealed class TokenOptions
{
    /// <summary>
    /// Address of the issuer, exactly as its tokens have it in <c>iss</c>; its keys are found below
    /// <c>/.well-known/openid-configuration</c>. Default: none, and no token is valid.
    /// </summary>
    [MinLength(1, ErrorMessage = "{0} must not be empty")]
    public string? Issuer { get; set; }

    /// <summary>The audience that tokens must be made for (<c>aud</c>). Default: none; needed with an issuer.</summary>
    [MinLength(1, ErrorMessage = "{0} must not be empty")]
    public string? Audience { get; set; }

    /// <summary>
    /// The claim that lists scopes: one text with blanks between them, or a list. Default <c>scope</c>.
    /// </summary>
    [MinLength(1, ErrorMessage = "{0} must not be empty")]
    public string ScopeClaim { get; set; } = "scope";

    /// <summary>The value of <see cref="ScopeClaim"/> that permits detection. Default <c>fpn.detect</c>.</summary>
    [MinLength(1, ErrorMessage = "{0} must not be empty")]
    public string DetectScope { get; set; } = "fpn.detect";

    /// <summary>The value that permits <c>/metrics</c>. Default <c>fpn.metrics</c>.</summary>
    [MinLength(1, ErrorMessage = "{0} must not be empty")]
    public string MetricsScope { get; set; } = "fpn.metrics";

    /// <summary>The value that permits loading and unloading models. Default <c>fpn.admin</c>.</summary>
    [MinLength(1, ErrorMessage = "{0} must not be empty")]
    public string AdminScope { get; set; } = "fpn.admin";

    /// <summary>The claim that names the caller in the log. Default <c>sub</c>.</summary>
    [MinLength(1, ErrorMessage = "{0} must not be empty")]
    public string NameClaim { get; set; } = "sub";

    /// <summary>The most urgent priority that callers with a token may ask for. Default normal.</summary>
    public RequestPriority HighestPriority { get; set; } = RequestPriority.Normal;

    /// <summary>
    /// The shortest time between two looks at the issuer's keys, which are looked at again when a token is signed with
    /// an unknown one. Default 5 min; 1 s to 24 h.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00", ErrorMessage = "{0} must be from {1} to {2}")]
    public TimeSpan RefreshInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Whether the issuer's address may be <c>http</c>: anyone on the way could then put keys of their own in. Default
    /// false.
    /// </summary>
    public bool AllowHttp { get; set; }

    /// <summary>Whether tokens are taken.</summary>
    public bool AreTaken() => Issuer is not null;
}
