using System.Net;
using System.Net.Sockets;
using Fpn.Settings;

namespace Fpn.Service.Fetching;

/// <summary>Which addresses may be connected to: public ones, and those that the settings list.</summary>
/// <remarks>
/// The table follows IANA's registries of special-purpose addresses (RFC 6890), and adds what clouds give a meaning of
/// their own. In IPv6 only 2000::/3 is in public use, so that everything else is refused without a row of its own.
/// </remarks>
internal sealed class AddressGuard
{
    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");

    /// <summary>An IPv4 address in its last four bytes, by which IPv6-only networks reach IPv4 (RFC 6052).</summary>
    private static readonly IPNetwork Translated = IPNetwork.Parse("64:ff9b::/96");

    private static readonly (IPNetwork Network, string Use)[] Special =
    [
        Row("0.0.0.0/8", "this host"),
        Row("10.0.0.0/8", "private"),
        Row("100.64.0.0/10", "shared by a carrier, or a cloud's metadata"),
        Row("127.0.0.0/8", "loopback"),
        Row("168.63.129.16/32", "a cloud's metadata"),
        Row("169.254.0.0/16", "link-local, or a cloud's metadata"),
        Row("172.16.0.0/12", "private"),
        Row("192.0.0.0/24", "protocol assignments, or a cloud's metadata"),
        Row("192.0.2.0/24", "documentation"),
        Row("192.88.99.0/24", "6to4 relay"),
        Row("192.168.0.0/16", "private"),
        Row("198.18.0.0/15", "benchmarks"),
        Row("198.51.100.0/24", "documentation"),
        Row("203.0.113.0/24", "documentation"),
        Row("224.0.0.0/4", "multicast"),
        Row("240.0.0.0/4", "reserved, or broadcast"),
        Row("::/128", "this host"),
        Row("::1/128", "loopback"),
        Row("64:ff9b:1::/48", "local translation to IPv4"),
        Row("2001::/23", "protocol assignments, or Teredo"),
        Row("2001:db8::/32", "documentation"),
        Row("2002::/16", "6to4"),
        Row("3fff::/20", "documentation"),
        Row("fc00::/7", "private, or a cloud's metadata"),
        Row("fe80::/10", "link-local"),
        Row("fec0::/10", "site-local"),
        Row("ff00::/8", "multicast"),
    ];

    private readonly IPNetwork[] _listed;

    private AddressGuard(IPNetwork[] listed) => _listed = listed;

    /// <summary>Creates a guard that allows public addresses and some others.</summary>
    /// <param name="networks">The value of <see cref="FetchOptions.Networks"/>.</param>
    /// <exception cref="SettingsException">It holds something that is neither an address nor a network.</exception>
    public static AddressGuard AllowingAlso(string networks) =>
        new([.. ListSetting.Items(networks).Select(ReadNetwork)]);

    /// <summary>What an address is used for, if it may not be connected to.</summary>
    /// <returns>Null when it may be.</returns>
    public string? RefusalFor(IPAddress address)
    {
        // ::ffff:127.0.0.1 is 127.0.0.1 to the network.
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        if (Array.Exists(_listed, network => network.Contains(plain)))
        {
            return null;
        }

        return FindPurpose(Translated.Contains(plain) ? new IPAddress(plain.GetAddressBytes()[^4..]) : plain);
    }

    private static string? FindPurpose(IPAddress address)
    {
        foreach (var (network, use) in Special)
        {
            if (network.Contains(address))
            {
                return use;
            }
        }

        return address.AddressFamily == AddressFamily.InterNetwork || GlobalUnicast.Contains(address)
            ? null
            : "not in public use";
    }

    private static (IPNetwork Network, string Use) Row(string network, string use) => (IPNetwork.Parse(network), use);

    private static IPNetwork ReadNetwork(string item)
    {
        if (IPNetwork.TryParse(item, out var network))
        {
            return network;
        }

        return IPAddress.TryParse(item, out var address)
            ? new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128)
            : throw new SettingsException(
                "Setting 'Fpn:Fetch:Networks' must list addresses or networks such as 10.1.0.0/16; "
                + $"'{item}' is neither.");
    }
}
