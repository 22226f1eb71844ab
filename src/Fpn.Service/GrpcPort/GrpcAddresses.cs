using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Fpn.Service.GrpcPort;

/// <summary>Adds the port of gRPC to the addresses that the settings name.</summary>
/// <remarks>
/// As settings, and not by listening in code: that would make the server ignore <c>urls</c>, <c>http_ports</c> and
/// <c>Kestrel:Endpoints</c>. gRPC listens on the hosts of HTTP, so that a service on the loopback interface stays
/// there.
/// </remarks>
internal static class GrpcAddresses
{
    private const string Endpoints = "Kestrel:Endpoints";
    private const string Urls = "urls";

    /// <summary>What the server listens on when no setting says so.</summary>
    private const string Default = "http://localhost:5000";

    /// <summary>Adds the port.</summary>
    /// <param name="configuration">The whole configuration, which is changed.</param>
    /// <param name="port">1 to 65535.</param>
    public static void Add(IConfiguration configuration, int port)
    {
        var endpoints = configuration.GetSection(Endpoints).GetChildren().ToArray();
        if (endpoints.Length == 0)
        {
            var addresses = HttpAddresses(configuration);
            if (addresses.Length > 0)
            {
                configuration[Urls] = string.Join(';', [.. addresses, .. AddressesWith(addresses, port)]);
            }

            return;
        }

        // An endpoint with the port is the one for gRPC: so it gets a certificate of its own, for example.
        var own = Array.Find(endpoints, endpoint => Parse(endpoint["Url"])?.Port == port);
        if (own is not null)
        {
            own["Protocols"] = nameof(HttpProtocols.Http2);
            return;
        }

        var urls = endpoints.Select(endpoint => endpoint["Url"] ?? string.Empty).ToArray();
        foreach (var (index, url) in AddressesWith(urls, port).Index())
        {
            configuration[$"{Endpoints}:Grpc{index}:Url"] = url;
            configuration[$"{Endpoints}:Grpc{index}:Protocols"] = nameof(HttpProtocols.Http2);
        }
    }

    /// <summary>Adds the port to the server's default address, where no setting names any.</summary>
    /// <param name="app">The service, before it starts.</param>
    /// <param name="port">1 to 65535.</param>
    public static void AddToDefault(WebApplication app, int port)
    {
        var configuration = app.Configuration;
        if (HttpAddresses(configuration).Length == 0 && !configuration.GetSection(Endpoints).GetChildren().Any())
        {
            app.Urls.Add(Default);
            app.Urls.Add(AddressesWith([Default], port).Single());
        }
    }

    /// <summary>Makes endpoints with the port speak HTTP/2 only.</summary>
    /// <remarks>Without TLS, which is where the version is agreed on, an endpoint cannot offer both.</remarks>
    public static void SpeakHttp2(KestrelServerOptions kestrel, int port) =>
        kestrel.ConfigureEndpointDefaults(endpoint =>
        {
            if (endpoint.IPEndPoint?.Port == port)
            {
                endpoint.Protocols = HttpProtocols.Http2;
            }
        });

    private static string[] HttpAddresses(IConfiguration configuration)
    {
        var urls = Items(configuration[Urls]);
        if (urls.Length > 0)
        {
            return urls;
        }

        return
        [
            .. Items(configuration["http_ports"]).Select(port => $"http://*:{port}"),
            .. Items(configuration["https_ports"]).Select(port => $"https://*:{port}"),
        ];
    }

    private static string[] Items(string? list) =>
        (list ?? string.Empty).Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>One address for each host; without TLS where HTTP is served without.</summary>
    private static IEnumerable<string> AddressesWith(string[] urls, int port)
    {
        var parsed = urls.Select(Parse).OfType<BindingAddress>()
            .Where(address => address is { IsUnixPipe: false, IsNamedPipe: false })
            .ToArray();
        return parsed
            .Select(address => address.Host)
            .Distinct(StringComparer.OrdinalIgnoreCase)
            .DefaultIfEmpty("localhost")
            .Select(host =>
            {
                var plain = !Array.Exists(parsed, address => IsAt(address, host))
                    || Array.Exists(parsed, address => IsAt(address, host) && address.Scheme == Uri.UriSchemeHttp);
                return $"{(plain ? Uri.UriSchemeHttp : Uri.UriSchemeHttps)}://{host}:{port}";
            });
    }

    private static bool IsAt(BindingAddress address, string host) =>
        address.Host.Equals(host, StringComparison.OrdinalIgnoreCase);

    /// <summary>Null for an address that is not valid: the attempt to listen on it reports that.</summary>
    private static BindingAddress? Parse(string? url)
    {
        try
        {
            return string.IsNullOrEmpty(url) ? null : BindingAddress.Parse(url);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
