using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Fpn.Service.Tests.Security;

/// <summary>An OpenID Connect issuer: says where its keys are, and signs tokens.</summary>
internal sealed class TokenIssuer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private RSA _key = RSA.Create(2048);
    private string _keyId = "first";

    private TokenIssuer()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.MapGet("/.well-known/openid-configuration", () => Results.Text(
            $$"""{ "issuer": "{{Address}}", "jwks_uri": "{{Address}}/keys" }""", "application/json"));
        _app.MapGet("/keys", () =>
        {
            var key = JsonWebKeyConverter.ConvertFromRSASecurityKey(new RsaSecurityKey(_key.ExportParameters(false)));
            var entry = new JsonObject
            {
                ["kty"] = "RSA",
                ["use"] = "sig",
                ["kid"] = _keyId,
                ["n"] = key.N,
                ["e"] = key.E,
            };
            return Results.Text(new JsonObject { ["keys"] = new JsonArray(entry) }.ToJsonString(), "application/json");
        });
    }

    /// <summary>Its address, which is the <c>iss</c> of its tokens.</summary>
    public string Address => _app.Urls.Single();

    public static async Task<TokenIssuer> StartAsync()
    {
        var issuer = new TokenIssuer();
        await issuer._app.StartAsync(TestContext.Current.CancellationToken);
        return issuer;
    }

    /// <summary>Replaces the key; tokens that were signed before are no longer valid.</summary>
    public void Rotate() => (_key, _keyId) = (RSA.Create(2048), _keyId + "x");

    /// <summary>Signs a token.</summary>
    /// <param name="scope">Its scopes; null for none.</param>
    /// <param name="audience">Whom it is for.</param>
    /// <param name="issuer">Its <c>iss</c>; this issuer if not said.</param>
    /// <param name="expires">When it ends; in an hour if not said.</param>
    /// <param name="key">What it is signed with; this issuer's key if not said.</param>
    /// <param name="claims">Further claims.</param>
    public string Token(
        object? scope = null,
        string audience = "fpn",
        string? issuer = null,
        DateTimeOffset? expires = null,
        SigningCredentials? key = null,
        params (string Name, object Value)[] claims)
    {
        var end = (expires ?? TimeProvider.System.GetUtcNow().AddHours(1)).UtcDateTime;
        var all = claims.ToDictionary(claim => claim.Name, claim => claim.Value);
        all.TryAdd("sub", "robot-7");
        if (scope is not null)
        {
            all["scope"] = scope;
        }

        var handler = new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false };
        return handler.CreateToken(new SecurityTokenDescriptor
        {
            Issuer = issuer ?? Address,
            Audience = audience,
            NotBefore = end.AddHours(-2),
            Expires = end,
            Claims = all,
            SigningCredentials = key ?? new SigningCredentials(
                new RsaSecurityKey(_key) { KeyId = _keyId }, SecurityAlgorithms.RsaSha256),
        });
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
