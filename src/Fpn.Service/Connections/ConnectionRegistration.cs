using Fpn.Settings;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Fpn.Service.Connections;

/// <summary>Connections: their limits, and which proxies are believed about their clients (docs/security.md).</summary>
internal static class ConnectionRegistration
{
    private static readonly TimeSpan RateGrace = TimeSpan.FromSeconds(5);

    /// <summary>Registers the limits of connections and the trusted proxies.</summary>
    /// <exception cref="SettingsException">
    /// There are too few file descriptors for the connections, or the framework is told to believe every proxy.
    /// </exception>
    public static WebApplicationBuilder AddConnections(this WebApplicationBuilder builder, SettingsCatalogue settings)
    {
        settings.Add<ProxyOptions>("Proxies");
        var connections = settings.Add<ConnectionOptions>("Connections");
        FileDescriptors.Require(connections.Max);
        if (builder.Configuration.GetValue<bool>("ForwardedHeaders_Enabled"))
        {
            throw new SettingsException(
                "Setting 'ForwardedHeaders_Enabled' (ASPNETCORE_FORWARDEDHEADERS_ENABLED) would believe everybody; "
                + "name the proxies in 'Fpn:Proxies:Trusted' instead.");
        }

        // The failure message is a page, which would be the only HTML here besides the explorer.
        builder.Services.Configure<HostFilteringOptions>(options => options.IncludeFailureMessage = false);
        builder.Services.Configure<KestrelServerOptions>(kestrel => Limit(kestrel, connections));
        return builder;
    }

    /// <summary>
    /// Takes the client's address, the scheme and the prefix of paths from the trusted proxies, and from no one else.
    /// </summary>
    /// <exception cref="SettingsException">The list of proxies holds neither an address nor a network.</exception>
    public static WebApplication UseTrustedProxies(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<ProxyOptions>();
        var forwarded = new ForwardedHeadersOptions
        {
            ForwardedHeaders = ForwardedHeaders.XForwardedFor
                | ForwardedHeaders.XForwardedProto
                | ForwardedHeaders.XForwardedPrefix,
            ForwardLimit = options.ForwardLimit,
        };

        // The framework trusts the loopback addresses by default.
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        foreach (var network in NetworkList.Parse("Fpn:Proxies:Trusted", options.Trusted))
        {
            forwarded.KnownIPNetworks.Add(network);
        }

        // With an empty list the middleware would trust every proxy.
        if (forwarded.KnownIPNetworks.Count > 0)
        {
            app.UseForwardedHeaders(forwarded);
        }

        return app;
    }

    private static void Limit(KestrelServerOptions kestrel, ConnectionOptions options)
    {
        kestrel.AddServerHeader = false;
        var limits = kestrel.Limits;
        limits.MaxConcurrentConnections = options.Max;
        limits.RequestHeadersTimeout = options.HeadersTimeout;
        limits.KeepAliveTimeout = options.IdleTimeout;
        limits.MinRequestBodyDataRate = new MinDataRate(options.MinBytesPerSecond, RateGrace);
        limits.MinResponseDataRate = new MinDataRate(options.MinBytesPerSecond, RateGrace);

        // Endpoints count what they read. The server's own limit would cut connections before their clients read why.
        limits.MaxRequestBodySize = null;
        limits.MaxRequestHeaderCount = 64;
        limits.MaxRequestHeadersTotalSize = 16 << 10;
        limits.Http2.MaxRequestHeaderFieldSize = 16 << 10;
        limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
    }
}
