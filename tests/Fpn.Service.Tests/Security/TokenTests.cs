using System.Net;
using System.Security.Cryptography;
using System.Text;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Microsoft.IdentityModel.Tokens;

namespace Fpn.Service.Tests.Security;

/// <summary>Tokens of an OpenID Connect issuer, beside keys and instead of them.</summary>
[Trait("Speed", "slow")]
public sealed class TokenTests(TokenTests.Tokens tokens) : IClassFixture<TokenTests.Tokens>
{
    private static readonly string[] ScopeList = ["fpn.detect", "x"];

    private readonly TokenIssuer _issuer = tokens.Issuer;
    private readonly RunningService _service = tokens.Service;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Detect_TokenWithScope_IsAnsweredAndNamedInTheLog()
    {
        var start = _service.Log.All.Count;
        Assert.Equal(200, await DetectAsync(_issuer.Token("openid fpn.detect")));
        Assert.Equal(200, await DetectAsync(_issuer.Token(ScopeList)));
        await _service.Log.WaitForAsync(
            start, line => line.Contains("key robot-7", StringComparison.Ordinal), Cancel);
    }

    [Fact]
    public async Task Detect_KeyBesideTokens_IsAnswered()
    {
        Assert.Equal(200, await DetectAsync(KeyFile.Alice));
        Assert.Equal(401, await DetectAsync(KeyFile.Bob));
        Assert.Equal(401, await DetectAsync(null));
    }

    [Fact]
    public async Task Detect_TokenWithoutScope_Is403()
    {
        using var response = await SendAsync(_issuer.Token("fpn.metrics"));
        await ProblemBody.AssertAsync(response, HttpStatusCode.Forbidden, "scope-missing");
        using var request = new HttpRequestMessage(HttpMethod.Get, "metrics");
        request.Headers.Authorization = new("Bearer", _issuer.Token("fpn.metrics"));
        using var metrics = await _service.Client.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.OK, metrics.StatusCode);
    }

    [Fact]
    public async Task Detect_TokenThatIsNotValid_SaysWhy()
    {
        using var other = RSA.Create(2048);
        var foreign = new SigningCredentials(new RsaSecurityKey(other), SecurityAlgorithms.RsaSha256);
        var shared = new SigningCredentials(
            new SymmetricSecurityKey(new byte[64]), SecurityAlgorithms.HmacSha256);
        var now = TimeProvider.System.GetUtcNow();
        var good = _issuer.Token("fpn.detect");
        var parts = good.Split('.');
        await AssertWrongAsync(_issuer.Token("fpn.detect", audience: "other"), "audience");
        await AssertWrongAsync(_issuer.Token("fpn.detect", issuer: "https://evil.example.com"), "another issuer");
        await AssertWrongAsync(_issuer.Token("fpn.detect", expires: now.AddHours(-1)), "expired");
        await AssertWrongAsync(_issuer.Token("fpn.detect", expires: now.AddHours(5)), "not valid yet");
        await AssertWrongAsync(_issuer.Token("fpn.detect", key: foreign), "not signed by its issuer");
        await AssertWrongAsync(_issuer.Token("fpn.detect", key: shared), "The token");
        await AssertWrongAsync($"{parts[0]}.{Encode("""{"scope":"fpn.detect"}""")}.{parts[2]}", "The token");
        await AssertWrongAsync($"{Encode("""{"alg":"none"}""")}.{parts[1]}.", "The token");
        await AssertWrongAsync("eyJ.eyJ.x", "The token");
    }

    [Fact]
    public async Task Detect_IssuerChangesItsKey_TakesNewTokensWithoutARestart()
    {
        var before = _issuer.Token("fpn.detect");
        Assert.Equal(200, await DetectAsync(before));
        _issuer.Rotate();
        var after = _issuer.Token("fpn.detect");
        await Eventually.TrueAsync(async () => await DetectAsync(after) == 200);
        await Eventually.TrueAsync(async () => await DetectAsync(before) == 401);
    }

    [Fact]
    public async Task Detect_IssuerDoesNotAnswer_Is503()
    {
        var address = $"http://127.0.0.1:{FreePort.Find()}";
        using var service = new RunningService(
            ("Fpn:Jwt:Issuer", address), ("Fpn:Jwt:Audience", "fpn"), ("Fpn:Jwt:AllowHttp", "true"));
        using var request = new HttpRequestMessage(HttpMethod.Post, "detect")
        {
            Content = new ByteArrayContent(MadePng.OnePixel()),
        };
        request.Headers.Authorization = new("Bearer", _issuer.Token("fpn.detect", issuer: address));
        using var response = await service.Client.SendAsync(request, Cancel);
        await ProblemBody.AssertAsync(response, HttpStatusCode.ServiceUnavailable, "issuer-unreachable");
        using var live = await service.Client.GetAsync("health/live", Cancel);
        Assert.Equal(HttpStatusCode.OK, live.StatusCode);
        using var without = await service.Client.PostDetectAsync(MadePng.OnePixel());
        await ProblemBody.AssertAsync(without, HttpStatusCode.Unauthorized, "key-missing");
    }

    [Fact]
    public async Task Detect_UrgentToken_IsAllowedWhatTheSettingsSay()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "detect")
        {
            Content = new ByteArrayContent(MadePng.OnePixel()),
        };
        request.Headers.Authorization = new("Bearer", _issuer.Token("fpn.detect"));
        request.Headers.Add("X-Priority", "high");
        using var response = await _service.Client.SendAsync(request, Cancel);
        await ProblemBody.AssertAsync(response, HttpStatusCode.Forbidden, "priority-not-allowed");
    }

    private static string Encode(string json) => Base64UrlEncoder.Encode(Encoding.UTF8.GetBytes(json));

    private async Task AssertWrongAsync(string token, string words)
    {
        using var response = await SendAsync(token);
        var problem = await ProblemBody.AssertAsync(response, HttpStatusCode.Unauthorized, "key-wrong");
        Assert.Contains(words, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private async Task<int> DetectAsync(string? credential)
    {
        using var response = await SendAsync(credential);
        return (int)response.StatusCode;
    }

    private async Task<HttpResponseMessage> SendAsync(string? credential)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "detect")
        {
            Content = new ByteArrayContent(MadePng.OnePixel()),
        };
        if (credential is not null)
        {
            request.Headers.Authorization = new("Bearer", credential);
        }

        return await _service.Client.SendAsync(request, Cancel);
    }

    /// <summary>An issuer, and a service that takes its tokens.</summary>
    /// <remarks>A test that changes the issuer's key waits until the service has seen it.</remarks>
    public sealed class Tokens : IAsyncLifetime
    {
        /// <summary>The issuer.</summary>
        internal TokenIssuer Issuer { get; private set; } = null!;

        /// <summary>The service.</summary>
        internal RunningService Service { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Issuer = await TokenIssuer.StartAsync();
            Service = new RunningService(
                ("Fpn:Jwt:Issuer", Issuer.Address),
                ("Fpn:Jwt:Audience", "fpn"),
                ("Fpn:Jwt:AllowHttp", "true"),
                ("Fpn:Jwt:RefreshInterval", "1s"),
                ("Fpn:Keys:Json", $"[{KeyFile.Entry("alice", KeyFile.Alice)}]"));
        }

        public async ValueTask DisposeAsync()
        {
            Service.Dispose();
            await Issuer.DisposeAsync();
        }
    }
}
