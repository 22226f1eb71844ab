using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Fpn.Service.Fetching;

/// <summary>A URL whose form is fit to be fetched; whether its host is allowed is another question.</summary>
internal sealed class FetchTarget
{
    /// <summary>The longest URL, in characters.</summary>
    public const int LongestUrl = 4096;

    private FetchTarget(Uri uri, string host) => (Uri, Host) = (uri, host);

    /// <summary>The URL.</summary>
    public Uri Uri { get; }

    /// <summary>
    /// The host as it is compared: an address in its usual form, whatever form it was written in (<c>0x7f.1</c> is
    /// <c>127.0.0.1</c>); a name in lower case and ASCII (<c>xn--…</c>), without a dot at its end.
    /// </summary>
    public string Host { get; }

    /// <summary>Scheme, host and port: what credentials belong to.</summary>
    public string Origin => $"{Uri.Scheme}://{Host}:{Uri.Port}";

    /// <summary>Reads a URL.</summary>
    /// <returns>
    /// False when it is not absolute, not of http or https, too long, or names a user: a name before the host is not
    /// sent, and only makes one host look like another.
    /// </returns>
    public static bool TryParse(string text, [NotNullWhen(true)] out FetchTarget? target)
    {
        target = null;
        return text.Length <= LongestUrl
            && Uri.TryCreate(text, UriKind.Absolute, out var uri)
            && TryCreate(uri, out target);
    }

    /// <summary>Reads the address of a redirect.</summary>
    /// <param name="location">A URL, absolute or relative to this one.</param>
    /// <param name="target">What it leads to.</param>
    /// <returns>As <see cref="TryParse"/>.</returns>
    public bool TryFollow(string location, [NotNullWhen(true)] out FetchTarget? target)
    {
        target = null;
        return location.Length <= LongestUrl && Uri.TryCreate(Uri, location, out var uri) && TryCreate(uri, out target);
    }

    private static bool TryCreate(Uri uri, [NotNullWhen(true)] out FetchTarget? target)
    {
        target = null;
        if ((uri.Scheme != Uri.UriSchemeHttps && uri.Scheme != Uri.UriSchemeHttp) || uri.UserInfo.Length > 0)
        {
            return false;
        }

        var host = uri.HostNameType switch
        {
            UriHostNameType.IPv4 or UriHostNameType.IPv6 when IPAddress.TryParse(uri.IdnHost, out var address) =>
                address.ToString(),
            UriHostNameType.Dns => uri.IdnHost.TrimEnd('.').ToLowerInvariant(),
            _ => string.Empty,
        };
        if (host.Length > 0)
        {
            target = new FetchTarget(uri, host);
        }

        return target is not null;
    }
}
