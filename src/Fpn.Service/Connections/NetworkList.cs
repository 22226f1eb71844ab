using System.Net;
using Fpn.Settings;

namespace Fpn.Service.Connections;

/// <summary>Settings that list addresses and networks.</summary>
internal static class NetworkList
{
    /// <summary>Reads a list.</summary>
    /// <param name="setting">Name of the setting.</param>
    /// <param name="list">
    /// Addresses and networks, separated by commas, such as <c>10.0.0.5, 10.1.0.0/16</c>; may be empty.
    /// </param>
    /// <returns>The networks; an address is a network of its own.</returns>
    /// <exception cref="SettingsException">An item is neither an address nor a network.</exception>
    public static IPNetwork[] Parse(string setting, string list) =>
        Array.ConvertAll(ListSetting.Items(list), item =>
            IPAddress.TryParse(item, out var address) ? new IPNetwork(address, 8 * address.GetAddressBytes().Length)
            : IPNetwork.TryParse(item, out var network) ? network
            : throw new SettingsException(
                $"Setting '{setting}' must list addresses or networks such as 10.1.0.0/16; '{item}' is neither."));
}
