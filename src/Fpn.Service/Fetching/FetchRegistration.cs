using Fpn.Settings;

namespace Fpn.Service.Fetching;

/// <summary>Images that requests name by URL (docs/security.md).</summary>
internal static class FetchRegistration
{
    /// <summary>Registers the fetcher; without hosts in the settings it refuses every URL.</summary>
    /// <exception cref="SettingsException">Hosts, networks or credentials cannot be read.</exception>
    public static WebApplicationBuilder AddFetching(this WebApplicationBuilder builder, SettingsCatalogue settings)
    {
        var options = settings.Add<FetchOptions>("Fetch");
        var hosts = AllowedHosts.Parse(options.Hosts);
        builder.Services
            .AddSingleton(hosts)
            .AddSingleton(AddressGuard.AllowingAlso(options.Networks))
            .AddSingleton(FetchCredentials.Read(options, hosts, builder.Environment.ContentRootPath))
            .AddSingleton<IHostResolver, SystemResolver>()
            .AddSingleton<PinnedConnector>()
            .AddSingleton(services => ActivatorUtilities.CreateInstance<GuardedFetcher>(
                services, services.GetRequiredService<PinnedConnector>().CreateHandler()));
        return builder;
    }
}
