using System.Globalization;
using System.Net;
using Fpn.Models.Loading;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Serilog.Core;

namespace Fpn.Testing.Running;

/// <summary>The real service on a free port of the loopback interface, with Kestrel and trained models: blood-cells
/// alone,
/// unless the settings say otherwise.</summary>
internal sealed class RunningService : IDisposable
{
    private const string GrpcPort = "Fpn:Grpc:Port";

    private readonly Factory _factory;

    /// <summary>Starts the service.</summary>
    /// <param name="settings">Settings that differ from the defaults, such as <c>("Fpn:Limits:MaxImageBytes",
    /// "1000")</c>.</param>
    public RunningService(params (string Name, string Value)[] settings)
        : this(_ => { }, settings)
    {
    }

    /// <summary>Starts the service with some of its own objects changed.</summary>
    /// <param name="configure">Changes registrations before they are used.</param>
    /// <param name="settings">Settings that differ from the defaults.</param>
    public RunningService(Action<IServiceCollection> configure, params (string Name, string Value)[] settings)
    {
        _factory = new Factory(configure, settings);
        if (Array.Find(settings, setting => setting.Name == GrpcPort).Value is { } port)
        {
            // The factory knows one port only, and the settings' own addresses do not count below it.
            _factory.UseKestrel(kestrel =>
            {
                kestrel.Listen(
                    IPAddress.Loopback,
                    int.Parse(port, CultureInfo.InvariantCulture),
                    endpoint => endpoint.Protocols = HttpProtocols.Http2);
                kestrel.Listen(IPAddress.Loopback, 0);
            });
        }
        else
        {
            _factory.UseKestrel(0);
        }

        _factory.StartServer();
        Client = _factory.CreateClient();
    }

    /// <summary>Starts the service as <c>run.sh</c> does: with all committed packages, and the default model.</summary>
    public static RunningService AsShipped() =>
        new(("Fpn:Models:Path", Checkout.Models), ("Fpn:Models:Default", ModelOptions.UsualDefault));

    /// <summary>A client whose base address is the service's; follows redirects.</summary>
    public HttpClient Client { get; }

    /// <summary>The address, for tests that speak TCP.</summary>
    public Uri Address => Client.BaseAddress!;

    /// <summary>The service's own objects.</summary>
    public IServiceProvider Services => _factory.Services;

    /// <summary>Lines that were logged.</summary>
    public LogLines Log => _factory.Log;

    public void Dispose()
    {
        Client.Dispose();
        _factory.Dispose();
    }

    private sealed class Factory(
        Action<IServiceCollection> configure, (string Name, string Value)[] settings) : WebApplicationFactory<Program>
    {
        public LogLines Log { get; } = new();

        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            builder.UseSetting("Fpn:Models:Path", Checkout.BloodCells);
            builder.UseSetting("Fpn:Models:Default", "blood-cells");

            // Lines go to the tests and not to their console.
            builder.UseSetting("Serilog:WriteTo:0:Args:restrictedToMinimumLevel", "Fatal");
            foreach (var (name, value) in settings)
            {
                builder.UseSetting(name, value);
            }

            builder.ConfigureServices(services =>
            {
                services.AddSingleton<ILogEventSink>(Log);
                configure(services);
            });
        }
    }
}
