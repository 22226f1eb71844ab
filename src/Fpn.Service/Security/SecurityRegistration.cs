using System.Net;
using Fpn.Service.Wire;
using Fpn.Settings;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Fpn.Service.Security;

/// <summary>Who may ask, from where, and how slowly: docs/security.md.</summary>
internal static class SecurityRegistration
{
    private static readonly TimeSpan RateGrace = TimeSpan.FromSeconds(5);

    private static readonly string[] AllowedHeaders =
    [
        ApiHeaders.Key, "Authorization", "Content-Type", ApiHeaders.Priority, ApiHeaders.Timeout,
        ApiHeaders.RequestId, ApiHeaders.JsonLength,
    ];

    private static readonly string[] ExposedHeaders = ["Server-Timing", "Retry-After", ApiHeaders.RequestId, ApiHeaders.JsonLength];

    /// <summary>Registers keys, origins, proxies and the limits of connections.</summary>
    public static WebApplicationBuilder AddSecurity(this WebApplicationBuilder builder)
    {
        if (builder.Configuration.GetValue<bool>("ForwardedHeaders_Enabled"))
        {
            throw new SettingsException(
                "Setting 'ForwardedHeaders_Enabled' (ASPNETCORE_FORWARDEDHEADERS_ENABLED) would believe everybody; "
                + "name the proxies in 'Fpn:Proxies:Trusted' instead.");
        }

        builder.Services.AddSingleton<ApiKeys>();
        builder.Services.AddCors();

        // A page would be the one answer here that is HTML.
        builder.Services.Configure<HostFilteringOptions>(options => options.IncludeFailureMessage = false);
        builder.Services.AddOptions<KestrelServerOptions>().Configure<ConnectionOptions>(Limit);
        return builder;
    }

    /// <summary>Believes the trusted proxies about the client's address, the scheme and the prefix of paths, and nobody
    /// else.</summary>
    public static WebApplication UseTrustedProxies(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<ProxyOptions>();
        var forwarded = new ForwardedHeadersOptions
        {
            ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedPrefix,
            ForwardLimit = options.ForwardLimit,
        };

        // The framework believes the loopback addresses by default.
        forwarded.KnownProxies.Clear();
        forwarded.KnownIPNetworks.Clear();
        foreach (var item in Items(options.Trusted))
        {
            if (IPAddress.TryParse(item, out var address))
            {
                forwarded.KnownProxies.Add(address);
            }
            else if (System.Net.IPNetwork.TryParse(item, out var network))
            {
                forwarded.KnownIPNetworks.Add(network);
            }
            else
            {
                throw new SettingsException(
                    "Setting 'Fpn:Proxies:Trusted' must list addresses or networks such as 10.1.0.0/16; "
                    + $"'{item}' is neither.");
            }
        }

        // With nothing known the middleware would believe everybody.
        if (forwarded.KnownProxies.Count + forwarded.KnownIPNetworks.Count > 0)
        {
            app.UseForwardedHeaders(forwarded);
        }

        return app;
    }

    /// <summary>Gives each request an id.</summary>
    public static WebApplication UseRequestIds(this WebApplication app)
    {
        app.UseMiddleware<RequestIds>();
        return app;
    }

    /// <summary>Adds the headers that browsers heed.</summary>
    public static WebApplication UseSecurityHeaders(this WebApplication app)
    {
        app.UseMiddleware<SecurityHeaders>();
        return app;
    }

    /// <summary>Lets the pages of the allowed origins call the API; without any, nothing is done.</summary>
    public static WebApplication UseCrossOrigin(this WebApplication app)
    {
        var origins = Items(app.Services.GetRequiredService<CrossOriginOptions>().AllowedOrigins);
        if (origins.Length == 0)
        {
            return app;
        }

        if (origins is not ["*"] && Array.Find(origins, origin => !IsOrigin(origin)) is { } wrong)
        {
            throw new SettingsException(
                "Setting 'Fpn:Cors:AllowedOrigins' must list origins such as https://app.example.com, or be *; "
                + $"'{wrong}' is none.");
        }

        // Without credentials: cookies are not ours, and a page must know a key to use one.
        app.UseCors(policy => policy
            .WithOrigins(origins)
            .WithMethods("GET", "HEAD", "POST")
            .WithHeaders(AllowedHeaders)
            .WithExposedHeaders(ExposedHeaders)
            .SetPreflightMaxAge(TimeSpan.FromMinutes(10)));
        return app;
    }

    /// <summary>Asks for keys, if any are configured.</summary>
    /// <exception cref="SettingsException">They cannot be read.</exception>
    public static WebApplication UseKeys(this WebApplication app)
    {
        var keys = app.Services.GetRequiredService<ApiKeys>();
        if (keys.IsOn)
        {
            app.UseMiddleware<KeyGate>();
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

    /// <summary>As browsers send it: scheme, host and port, nothing behind.</summary>
    private static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp)
        && text.Equals(uri.GetLeftPart(UriPartial.Authority), StringComparison.OrdinalIgnoreCase);

    private static string[] Items(string list) =>
        list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
