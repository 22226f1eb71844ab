using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace Fpn.Service.Tests.Fetching;

/// <summary>A server that images are fetched from, and that remembers what it was asked.</summary>
internal sealed class ImageServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<(string Target, IHeaderDictionary Headers)> _requests = [];

    private ImageServer(RequestDelegate answer, IPAddress address, int port, X509Certificate2? certificate)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(address, port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                if (certificate is not null)
                {
                    // Offline: the server would ask for its certificate's issuer, which clients must not.
                    var context = SslStreamCertificateContext.Create(certificate, null, offline: true);
                    listen.UseHttps(new TlsHandshakeCallbackOptions
                    {
                        OnConnection = _ => new(new SslServerAuthenticationOptions
                        {
                            ServerCertificateContext = context,
                        }),
                    });
                }
            });

            // Bodies that do not end are what some tests are about.
            kestrel.Limits.MinResponseDataRate = null;
        });
        _app = builder.Build();
        _app.Run(context =>
        {
            _requests.Enqueue((
                context.Request.Path + context.Request.QueryString,
                new HeaderDictionary(context.Request.Headers.ToDictionary())));
            return answer(context);
        });
    }

    /// <summary>Its port.</summary>
    public int Port { get; private set; }

    /// <summary>Path and query of each request, in order.</summary>
    public IEnumerable<string> Targets => _requests.Select(request => request.Target);

    /// <summary>Headers of each request, in order.</summary>
    public IEnumerable<IHeaderDictionary> Headers => _requests.Select(request => request.Headers);

    /// <summary>Starts a server.</summary>
    /// <param name="answer">Answers each request.</param>
    /// <param name="address">Where it listens; 127.0.0.1 if not said.</param>
    /// <param name="port">Its port; a free one if not said.</param>
    /// <param name="certificate">Makes it speak TLS.</param>
    public static async Task<ImageServer> StartAsync(
        RequestDelegate answer, string address = "127.0.0.1", int port = 0, X509Certificate2? certificate = null)
    {
        var server = new ImageServer(answer, IPAddress.Parse(address), port, certificate);
        await server._app.StartAsync(TestContext.Current.CancellationToken);
        server.Port = new Uri(server._app.Urls.Single()).Port;
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        // Disposing alone would block a thread until the connections are closed.
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }
}
