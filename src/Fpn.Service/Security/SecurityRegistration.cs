using Fpn.Service.Wire;
using Fpn.Settings;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Fpn.Service.Security;

/// <summary>Who may call the service, and from which web pages (docs/security.md).</summary>
internal static class SecurityRegistration
{
    private const int LargestIssuerAnswer = 1 << 20;

    private static readonly TimeSpan IssuerTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How often the issuer's keys are read again in any case.</summary>
    private static readonly TimeSpan KeysRefresh = TimeSpan.FromHours(1);

    private static readonly string[] AllowedHeaders =
    [
        ApiHeaders.Key, "Authorization", "Content-Type", ApiHeaders.Priority, ApiHeaders.Timeout,
        ApiHeaders.RequestId, ApiHeaders.JsonLength,
    ];

    private static readonly string[] ExposedHeaders =
        ["Server-Timing", "Retry-After", ApiHeaders.RequestId, ApiHeaders.JsonLength];

    /// <summary>Registers keys and origins.</summary>
    public static WebApplicationBuilder AddSecurity(this WebApplicationBuilder builder, SettingsCatalogue settings)
    {
        settings.Add<KeyOptions>("Keys");
        settings.Add<CrossOriginOptions>("Cors");
        builder.Services.AddSingleton<ApiKeys>().AddSingleton<TokenCallers>().AddSingleton<KeyCheck>().AddCors();
        AddTokens(builder.Services, settings.Add<TokenOptions>("Jwt"));
        return builder;
    }

    /// <summary>Gives each request an id.</summary>
    public static WebApplication UseRequestIds(this WebApplication app)
    {
        app.UseMiddleware<RequestIds>();
        return app;
    }

    /// <summary>Adds the headers by which browsers restrict what an answer may do.</summary>
    public static WebApplication UseSecurityHeaders(this WebApplication app)
    {
        app.UseMiddleware<SecurityHeaders>();
        return app;
    }

    /// <summary>Lets the pages of the allowed origins call the API; without any, does nothing.</summary>
    /// <exception cref="SettingsException">The list holds something that is not an origin.</exception>
    public static WebApplication UseCrossOrigin(this WebApplication app)
    {
        var origins = ListSetting.Items(app.Services.GetRequiredService<CrossOriginOptions>().AllowedOrigins);
        if (origins.Length == 0)
        {
            return app;
        }

        if (origins is not ["*"] && Array.Find(origins, origin => !IsOrigin(origin)) is { } wrong)
        {
            throw new SettingsException(
                "Setting 'Fpn:Cors:AllowedOrigins' must list origins such as https://app.example.com, or be *; "
                + $"'{wrong}' is not an origin.");
        }

        // Without credentials: the service sets no cookies, and a page must know a key to use one.
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
        if (app.Services.GetRequiredService<KeyCheck>().IsOn)
        {
            app.UseMiddleware<KeyGate>();
        }

        return app;
    }

    private static void AddTokens(IServiceCollection services, TokenOptions options)
    {
        if (options.Issuer is not { } issuer)
        {
            if (options.Audience is not null)
            {
                throw new SettingsException("Setting 'Fpn:Jwt:Audience' has no effect without 'Fpn:Jwt:Issuer'.");
            }

            return;
        }

        if (!Uri.TryCreate(issuer, UriKind.Absolute, out var address)
            || !(address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && options.AllowHttp)))
        {
            throw new SettingsException(
                $"Setting 'Fpn:Jwt:Issuer' must be an https address; it is '{issuer}'. "
                + "'Fpn:Jwt:AllowHttp' allows http, for tests.");
        }

        if (options.Audience is null)
        {
            throw new SettingsException(
                "Setting 'Fpn:Jwt:Audience' is needed with 'Fpn:Jwt:Issuer': without it, a token that was made for "
                + "another service would be valid here.");
        }

        // No scheme has this name: the framework would check every request by the only scheme, whether it has a token,
        // a key or neither.
        services.AddAuthentication(authentication => authentication.DefaultAuthenticateScheme = "none")
            .AddJwtBearer(bearer =>
        {
            bearer.ConfigurationManager = CreateKeySource(issuer, options);
            bearer.MapInboundClaims = false;
            bearer.TokenValidationParameters.ValidIssuer = issuer;
            bearer.TokenValidationParameters.ValidAudience = options.Audience;

            // Signatures that only the issuer can make: a shared secret or none at all are not among them.
            bearer.TokenValidationParameters.ValidAlgorithms =
                ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"];
        });
    }

    private static ConfigurationManager<OpenIdConnectConfiguration> CreateKeySource(
        string issuer, TokenOptions options) =>
        new(
            $"{issuer.TrimEnd('/')}/.well-known/openid-configuration",
            new OpenIdConnectConfigurationRetriever(),
            new HttpDocumentRetriever(new HttpClient
            {
                Timeout = IssuerTimeout,
                MaxResponseContentBufferSize = LargestIssuerAnswer,
            })
            {
                RequireHttps = !options.AllowHttp,
            })
        {
            RefreshInterval = options.RefreshInterval,
            AutomaticRefreshInterval = KeysRefresh,

            // A key that the issuer withdrew, because it was stolen, say, would be valid for another hour.
            UseLastKnownGoodConfiguration = false,
        };

    /// <summary>
    /// Whether a text is an origin as browsers send it: scheme, host and port, and nothing after them.
    /// </summary>
    private static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp)
        && text.Equals(uri.GetLeftPart(UriPartial.Authority), StringComparison.OrdinalIgnoreCase);
}
