using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Fpn.Client;

/// <summary>Registers <see cref="FpnClient"/>.</summary>
public static class FpnClientRegistration
{
    /// <summary>How long a connection is kept, so that changes of the service's address are noticed.</summary>
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(2);

    /// <summary>Adds <see cref="FpnClient"/> with an <see cref="HttpClient"/> from the factory, and
    /// retries.</summary>
    /// <param name="services">Where it is added. A registered <see cref="TimeProvider"/> times the waits.</param>
    /// <param name="configure">Sets at least <see cref="FpnClientOptions.BaseAddress"/>.</param>
    /// <returns>Adds more handlers, such as one that gets tokens; they run inside the retries.</returns>
    /// <remarks>The client is safe to hold in a singleton. Redirects are not followed, since they would carry the key
    /// to another host. A wrong option stops the host's start.</remarks>
    public static IHttpClientBuilder AddFpnClient(this IServiceCollection services, Action<FpnClientOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddOptions<FpnClientOptions>().Configure(configure).ValidateOnStart();
        services.AddSingleton<IValidateOptions<FpnClientOptions>, Validator>();
        return services
            .AddHttpClient<FpnClient>((provider, http) => Configure(http, OptionsFrom(provider)))
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan)
            .UseSocketsHttpHandler((handler, _) =>
            {
                handler.AllowAutoRedirect = false;
                handler.PooledConnectionLifetime = ConnectionLifetime;
            })
            .AddHttpMessageHandler(provider =>
                new FpnRetryHandler(OptionsFrom(provider), provider.GetService<TimeProvider>()));
    }

    private static void Configure(HttpClient http, FpnClientOptions options)
    {
        http.BaseAddress = options.BaseAddress;
        http.Timeout = options.Timeout;
        if (options.ApiKey is { } key)
        {
            http.DefaultRequestHeaders.Add("X-Api-Key", key);
        }
    }

    private static FpnClientOptions OptionsFrom(IServiceProvider provider) =>
        provider.GetRequiredService<IOptionsMonitor<FpnClientOptions>>().CurrentValue;

    private sealed class Validator : IValidateOptions<FpnClientOptions>
    {
        public ValidateOptionsResult Validate(string? name, FpnClientOptions options)
        {
            var fault = options.BaseAddress is null
                ? $"{nameof(options.BaseAddress)} is not set."
                : options.FindFault();
            return fault is null
                ? ValidateOptionsResult.Success
                : ValidateOptionsResult.Fail($"{nameof(FpnClientOptions)}: {fault}");
        }
    }
}
