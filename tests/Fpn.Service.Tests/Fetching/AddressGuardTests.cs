using System.Net;
using Fpn.Service.Fetching;
using Fpn.Settings;

namespace Fpn.Service.Tests.Fetching;

/// <summary>Which addresses are public, in every form that an address has.</summary>
public sealed class AddressGuardTests
{
    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("9.255.255.255")]
    [InlineData("11.0.0.0")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.0")]
    [InlineData("126.255.255.255")]
    [InlineData("128.0.0.1")]
    [InlineData("168.63.129.15")]
    [InlineData("169.253.255.255")]
    [InlineData("169.255.0.0")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.0")]
    [InlineData("192.0.1.0")]
    [InlineData("192.167.255.255")]
    [InlineData("192.169.0.0")]
    [InlineData("198.17.255.255")]
    [InlineData("198.20.0.0")]
    [InlineData("223.255.255.255")]
    [InlineData("::ffff:8.8.8.8")]
    [InlineData("64:ff9b::8.8.8.8")]
    [InlineData("2001:200::1")]
    [InlineData("2606:4700:4700::1111")]
    [InlineData("2a00:1450:4001::1")]
    public void RefusalFor_PublicAddress_IsNull(string address) => Assert.Null(Refusal(address));

    [Theory]
    [InlineData("0.0.0.0", "this host")]
    [InlineData("0.255.255.255", "this host")]
    [InlineData("10.0.0.0", "private")]
    [InlineData("10.255.255.255", "private")]
    [InlineData("100.64.0.0", "carrier")]
    [InlineData("100.100.100.200", "metadata")]
    [InlineData("100.127.255.255", "carrier")]
    [InlineData("127.0.0.1", "loopback")]
    [InlineData("127.255.255.255", "loopback")]
    [InlineData("168.63.129.16", "metadata")]
    [InlineData("169.254.0.0", "link-local")]
    [InlineData("169.254.169.254", "metadata")]
    [InlineData("172.16.0.0", "private")]
    [InlineData("172.31.255.255", "private")]
    [InlineData("192.0.0.192", "metadata")]
    [InlineData("192.0.2.1", "documentation")]
    [InlineData("192.88.99.1", "6to4")]
    [InlineData("192.168.0.0", "private")]
    [InlineData("192.168.255.255", "private")]
    [InlineData("198.18.0.0", "benchmarks")]
    [InlineData("198.19.255.255", "benchmarks")]
    [InlineData("198.51.100.7", "documentation")]
    [InlineData("203.0.113.7", "documentation")]
    [InlineData("224.0.0.1", "multicast")]
    [InlineData("240.0.0.1", "reserved")]
    [InlineData("255.255.255.255", "broadcast")]
    [InlineData("::", "this host")]
    [InlineData("::1", "loopback")]
    [InlineData("::127.0.0.1", "not in public use")]
    [InlineData("::ffff:127.0.0.1", "loopback")]
    [InlineData("::ffff:10.1.2.3", "private")]
    [InlineData("::ffff:169.254.169.254", "metadata")]
    [InlineData("::ffff:0:127.0.0.1", "not in public use")]
    [InlineData("64:ff9b::127.0.0.1", "loopback")]
    [InlineData("64:ff9b::a9fe:a9fe", "metadata")]
    [InlineData("64:ff9b:1::1", "local translation")]
    [InlineData("100::1", "not in public use")]
    [InlineData("2001::4136:e378:8000:63bf:3fff:fdd2", "Teredo")]
    [InlineData("2001:db8::1", "documentation")]
    [InlineData("2002:7f00:1::1", "6to4")]
    [InlineData("2002:808:808::1", "6to4")]
    [InlineData("3fff::1", "documentation")]
    [InlineData("4000::1", "not in public use")]
    [InlineData("5f00::1", "not in public use")]
    [InlineData("fc00::1", "private")]
    [InlineData("fd00:ec2::254", "metadata")]
    [InlineData("fd20:ce::254", "metadata")]
    [InlineData("fe80::1", "link-local")]
    [InlineData("fe80::1%1", "link-local")]
    [InlineData("fec0::1", "site-local")]
    [InlineData("ff02::1", "multicast")]
    public void RefusalFor_OtherAddress_SaysItsUse(string address, string use) =>
        Assert.Contains(use, Refusal(address), StringComparison.Ordinal);

    [Theory]
    [InlineData("10.1.0.0/16", "10.1.255.255", "10.2.0.0")]
    [InlineData("127.0.0.1", "127.0.0.1", "127.0.0.2")]
    [InlineData("127.0.0.1", "::ffff:127.0.0.1", "::1")]
    [InlineData("192.168.0.0/16, fd12:3456::/32", "fd12:3456::7", "fd12:3457::7")]
    [InlineData("::1", "::1", "127.0.0.1")]
    [InlineData("64:ff9b::/96", "64:ff9b::10.0.0.1", "10.0.0.1")]
    [InlineData("10.0.0.0/8", "10.0.0.1", "64:ff9b::10.0.0.1")]
    public void RefusalFor_ListedNetwork_AllowsItAndNothingBesides(string networks, string listed, string other)
    {
        Assert.Null(Refusal(listed, networks));
        Assert.NotNull(Refusal(other, networks));
        Assert.Null(Refusal("1.1.1.1", networks));
    }

    [Theory]
    [InlineData("10.0.0.0/33", "10.0.0.0/33")]
    [InlineData("127.0.0.1, images.example.com", "images.example.com")]
    public void AllowingAlso_NoNetwork_IsRefusedByName(string networks, string item) => Assert.Equal(
        "Setting 'Fpn:Fetch:Networks' must list addresses or networks such as 10.1.0.0/16; "
        + $"'{item}' is neither.",
        Assert.Throws<SettingsException>(() => AddressGuard.AllowingAlso(networks)).Message);

    private static string? Refusal(string address, string networks = "") =>
        AddressGuard.AllowingAlso(networks).RefusalFor(IPAddress.Parse(address));
}
