using Fpn.Service.Wire;
using Fpn.Settings;

namespace Fpn.Service.Security;

/// <summary>Who may call the service, and from which web pages (docs/security.md).</summary>
internal static class SecurityRegistration
{
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
        builder.Services.AddSingleton<ApiKeys>().AddSingleton<KeyCheck>().AddCors();
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

    /// <summary>
    /// Whether a text is an origin as browsers send it: scheme, host and port, and nothing after them.
    /// </summary>
    private static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp)
        && text.Equals(uri.GetLeftPart(UriPartial.Authority), StringComparison.OrdinalIgnoreCase);
}
