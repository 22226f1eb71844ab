using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;

namespace Fpn.Testing.Metrics;

/// <summary>Asks a provider's Prometheus exporter, without a server.</summary>
internal sealed class Scraper(IServiceProvider services)
{
    private readonly RequestDelegate _scrape = new ApplicationBuilder(services)
        .UseOpenTelemetryPrometheusScrapingEndpoint(
            services.GetRequiredService<MeterProvider>(), _ => true, null, null, null)
        .Build();

    /// <summary>The text.</summary>
    public async Task<string> ScrapeAsync()
    {
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { RequestServices = services };
        context.Response.Body = body;
        await _scrape(context);
        return Encoding.UTF8.GetString(body.ToArray());
    }
}
