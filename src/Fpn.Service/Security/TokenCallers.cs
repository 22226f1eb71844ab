using System.Security.Claims;
using Fpn.Service.Problems;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace Fpn.Service.Security;

/// <summary>Finds the caller of a request by its token.</summary>
internal sealed partial class TokenCallers(
    TokenOptions options, IOptionsMonitor<JwtBearerOptions> bearer, ILogger<TokenCallers> logger)
{
    /// <summary>Every token starts like this: base64 of <c>{"</c>.</summary>
    private const string Start = "eyJ";

    private const int LongestName = 128;

    /// <summary>Whether tokens are taken.</summary>
    public bool IsOn => options.AreTaken();

    /// <summary>Whether a credential is a token and not a key: three parts with dots between them.</summary>
    public static bool IsToken(ReadOnlySpan<char> credential) =>
        credential.StartsWith(Start, StringComparison.Ordinal) && credential.Count('.') == 2;

    /// <summary>Checks the token in <c>Authorization</c>: signature, issuer, audience and times.</summary>
    /// <returns>
    /// The caller; or the problem: the token is not valid, or the issuer cannot be asked for its keys.
    /// </returns>
    public async Task<Outcome<Caller>> FindAsync(HttpContext context)
    {
        var result = await context.AuthenticateAsync(JwtBearerDefaults.AuthenticationScheme);
        return result.Principal is { } principal ? CallerFor(principal)
            : result.Failure is SecurityTokenSignatureKeyNotFoundException && !await KnowsKeysAsync(context)
                ? Problem.IssuerUnreachable()
            : Problem.KeyWrong(Reason(result.Failure));
    }

    /// <summary>
    /// Whether the issuer's keys were ever read; the library takes a failure for an issuer without keys.
    /// </summary>
    private async Task<bool> KnowsKeysAsync(HttpContext context)
    {
        try
        {
            await bearer.Get(JwtBearerDefaults.AuthenticationScheme).ConfigurationManager!
                .GetConfigurationAsync(context.RequestAborted);
            return true;
        }
        catch (InvalidOperationException exception)
        {
            LogUnreachable(logger, options.Issuer!, exception.Message.ReplaceLineEndings(" "));
            return false;
        }
    }

    private Caller CallerFor(ClaimsPrincipal principal)
    {
        var scopes = KeyScope.None;
        foreach (var value in principal.FindAll(options.ScopeClaim).SelectMany(claim => claim.Value.Split(' ')))
        {
            scopes |= value == options.DetectScope ? KeyScope.Detect
                : value == options.MetricsScope ? KeyScope.Metrics
                : value == options.AdminScope ? KeyScope.Admin
                : KeyScope.None;
        }

        var name = principal.FindFirstValue(options.NameClaim) ?? "token";
        return new Caller(
            name.Length > LongestName ? name[..LongestName] : name, scopes, options.HighestPriority, bucket: null);
    }

    /// <summary>The reason, without a claim of the token in it.</summary>
    private static string Reason(Exception? failure) => failure switch
    {
        SecurityTokenExpiredException => "The token has expired.",
        SecurityTokenNotYetValidException => "The token is not valid yet.",
        SecurityTokenInvalidAudienceException => "The token is not made for this service: its audience is another.",
        SecurityTokenInvalidIssuerException => "The token is from another issuer than the one that is trusted here.",
        SecurityTokenSignatureKeyNotFoundException or SecurityTokenInvalidSignatureException
            => "The token is not signed by its issuer.",
        SecurityTokenInvalidAlgorithmException => "The token is signed in a way that is not trusted here.",
        _ => "The token is not valid.",
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "The keys of {Issuer} cannot be read: {Reason}")]
    private static partial void LogUnreachable(ILogger logger, string issuer, string reason);
}
