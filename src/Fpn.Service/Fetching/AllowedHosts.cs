using System.Globalization;
using Fpn.Settings;

namespace Fpn.Service.Fetching;

/// <summary>The hosts that images may be fetched from.</summary>
internal sealed class AllowedHosts
{
    private const string AnyBelow = "*.";

    private readonly Entry[] _entries;

    private AllowedHosts(Entry[] entries) => _entries = entries;

    /// <summary>Whether there is one.</summary>
    public bool Any => _entries.Length > 0;

    /// <summary>Reads a list.</summary>
    /// <param name="list">The value of <see cref="FetchOptions.Hosts"/>.</param>
    /// <exception cref="SettingsException">It holds something that is not a host.</exception>
    public static AllowedHosts Parse(string list) =>
        new(
        [
            .. ListSetting.Items(list).Select(item => Read(item) ?? throw new SettingsException(
                "Setting 'Fpn:Fetch:Hosts' must list hosts such as images.example.com, *.example.com or "
                + $"label-studio:8080; '{item}' is not a host.")),
        ]);

    /// <summary>Whether images may be fetched from the host and port of a URL.</summary>
    public bool Allows(FetchTarget target) => Array.Exists(_entries, entry => entry.Matches(target));

    private static Entry? Read(string item)
    {
        var name = item;
        int? port = null;

        // The colons of an IPv6 address are before its bracket.
        var colon = item.LastIndexOf(':');
        if (colon > item.LastIndexOf(']'))
        {
            var digits = item.AsSpan(colon + 1);
            if (!ushort.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                || number == 0)
            {
                return null;
            }

            (name, port) = (item[..colon], number);
        }

        var isBelow = name.StartsWith(AnyBelow, StringComparison.Ordinal);
        name = isBelow ? name[AnyBelow.Length..] : name;
        return FetchTarget.TryParse($"http://{name}", out var target)
            && target.Uri.IsDefaultPort
            && target.Uri.PathAndQuery == "/"
            && !name.AsSpan().ContainsAny("/\\?#@")
            && (!isBelow || target.Uri.HostNameType == UriHostNameType.Dns)
                ? new Entry(target.Host, isBelow, port)
                : null;
    }

    /// <param name="Host">A host as <see cref="FetchTarget.Host"/> has it.</param>
    /// <param name="IsBelow">Whether the names below it are allowed, and it is not.</param>
    /// <param name="Port">The only port; null for the usual one of the scheme.</param>
    private sealed record Entry(string Host, bool IsBelow, int? Port)
    {
        public bool Matches(FetchTarget target) =>
            (Port is null ? target.Uri.IsDefaultPort : target.Uri.Port == Port)
            && (IsBelow
                ? target.Host.Length > Host.Length + 1
                    && target.Host[^(Host.Length + 1)] == '.'
                    && target.Host.EndsWith(Host, StringComparison.Ordinal)
                : target.Host == Host);
    }
}
