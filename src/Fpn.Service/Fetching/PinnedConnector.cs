using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace Fpn.Service.Fetching;

/// <summary>
/// Connects to hosts: looks the name up once, checks every address, and connects to those very addresses, so that a
/// name that changes in between changes nothing.
/// </summary>
internal sealed partial class PinnedConnector(
    IHostResolver resolver, AddressGuard guard, ILogger<PinnedConnector> logger)
{
    /// <summary>Ends a request's connecting: the handler itself would go on for seconds.</summary>
    public static readonly HttpRequestOptionsKey<CancellationToken> Cancellation = new("Fpn.Fetch");

    /// <summary>Creates the handler that fetches; it does what it is told, and nothing by itself.</summary>
    /// <remarks>
    /// Every fetch has a connection of its own: no connection outlives the check of its address, and no more are open
    /// than fetches run. The caller disposes the handler.
    /// </remarks>
    public SocketsHttpHandler CreateHandler() => new()
    {
        ConnectCallback = ConnectAsync,
        PooledConnectionLifetime = TimeSpan.Zero,
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.None,
        MaxResponseHeadersLength = 16,
        MaxResponseDrainSize = 0,

        // Hosts get no ids of this service's traces.
        ActivityHeadersPropagator = null,
        SslOptions =
        {
            // A certificate may name an address to get its issuer from, which would be fetched past all checks.
            CertificateChainPolicy = new X509ChainPolicy
            {
                DisableCertificateDownloads = true,
                RevocationMode = X509RevocationMode.NoCheck,
            },
        },
    };

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken token)
    {
        context.InitialRequestMessage.Options.TryGetValue(Cancellation, out var fetch);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(token, fetch);
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = IPAddress.TryParse(host, out var literal)
            ? [literal]
            : await resolver.ResolveAsync(host, either.Token);

        // One that is refused spoils all: a host in public use has no reason to name an address inside.
        foreach (var address in addresses)
        {
            if (guard.RefusalFor(address) is { } use)
            {
                LogRefused(logger, host, address, use);
                throw new AddressRefusedException();
            }
        }

        return await ConnectAsync(addresses, port, either.Token);
    }

    private static async Task<NetworkStream> ConnectAsync(IPAddress[] addresses, int port, CancellationToken token)
    {
        var failure = new SocketException((int)SocketError.HostNotFound);
        foreach (var named in addresses)
        {
            var address = named.IsIPv4MappedToIPv6 ? named.MapToIPv4() : named;
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(address, port, token);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException exception)
            {
                socket.Dispose();
                failure = exception;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        throw failure;
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Nothing is fetched from {Host}: its address {Address} is not public ({Use}), and Fpn:Fetch:Networks "
            + "does not list it")]
    private static partial void LogRefused(ILogger logger, string host, IPAddress address, string use);
}
