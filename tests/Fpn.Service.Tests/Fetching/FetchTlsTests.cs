using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Fpn.Service.Fetching;
using Microsoft.AspNetCore.Http;

namespace Fpn.Service.Tests.Fetching;

/// <summary>Over TLS: the host proves its name, is not left for plain HTTP, and alone is asked.</summary>
public sealed class FetchTlsTests : IDisposable
{
    private readonly X509Certificate2 _issuer = CreateIssuer("root.test", null);

    public void Dispose() => _issuer.Dispose();

    [Fact]
    public async Task Fetch_TrustedCertificate_IsTheImage()
    {
        using var certificate = CreateCertificate(_issuer, "images.test");
        await using var server = await ImageServer.StartAsync(AnswerAsync, certificate: certificate);
        using var setup = SetUp(server.Port, _issuer);
        Assert.Equal([1], await setup.FetchAsync($"https://images.test:{server.Port}/"));
        Assert.Equal($"images.test:{server.Port}", Assert.Single(server.Headers).Host.ToString());
    }

    [Theory]
    [InlineData("images.test", false)]
    [InlineData("other.test", true)]
    public async Task Fetch_CertificateOfAnother_Is502AndNothingIsSent(string name, bool trusted)
    {
        using var certificate = CreateCertificate(_issuer, name);
        await using var server = await ImageServer.StartAsync(AnswerAsync, certificate: certificate);
        using var setup = SetUp(server.Port, trusted ? _issuer : null);
        await setup.AssertRefusedAsync(
            $"https://images.test:{server.Port}/", 502, "fetch-failed", "cannot be reached");
        Assert.Empty(server.Targets);
    }

    [Fact]
    public async Task Fetch_RedirectToPlainHttp_IsNotFollowed()
    {
        await using var plain = await ImageServer.StartAsync(AnswerAsync);
        using var certificate = CreateCertificate(_issuer, "images.test");
        await using var server = await ImageServer.StartAsync(
            context =>
            {
                context.Response.Redirect($"http://images.test:{plain.Port}/");
                return Task.CompletedTask;
            },
            certificate: certificate);
        using var setup = SetUp(server.Port, _issuer, plain.Port);
        await setup.AssertRefusedAsync(
            $"https://images.test:{server.Port}/", 400, "bad-parameter", "from https to http");
        Assert.Empty(plain.Targets);
    }

    /// <summary>
    /// A certificate names an address where its issuer may be had; .NET would ask there, whatever the address is.
    /// </summary>
    [Fact]
    public async Task Fetch_CertificateThatNamesAnAddress_AsksNothingThere()
    {
        await using var inside = await ImageServer.StartAsync(AnswerAsync);
        using var middle = CreateIssuer("middle.test", _issuer);
        using var certificate = CreateCertificate(middle, "images.test", $"http://127.0.0.1:{inside.Port}/issuer.crt");
        await using var server = await ImageServer.StartAsync(AnswerAsync, certificate: certificate);
        using var setup = SetUp(server.Port, _issuer);
        await setup.AssertRefusedAsync(
            $"https://images.test:{server.Port}/", 502, "fetch-failed", "cannot be reached");
        Assert.Empty(inside.Targets);
    }

    private static FetcherSetup SetUp(int port, X509Certificate2? trusted, int plain = 1) =>
        new(
            new FetchOptions { Hosts = $"images.test:{port}, images.test:{plain}", Networks = "127.0.0.1" },
            handler: handler =>
            {
                if (trusted is not null)
                {
                    handler.SslOptions.CertificateChainPolicy!.TrustMode = X509ChainTrustMode.CustomRootTrust;
                    handler.SslOptions.CertificateChainPolicy.CustomTrustStore.Add(trusted);
                }

                return handler;
            });

    private static X509Certificate2 CreateIssuer(string name, X509Certificate2? issuer)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        if (issuer is null)
        {
            return request.CreateSelfSigned(DateTimeOffset.UnixEpoch, new DateTimeOffset(2090, 1, 1, 0, 0, 0, default));
        }

        using var signed = request.Create(issuer, issuer.NotBefore, issuer.NotAfter, [1, 2, 3]);
        return signed.CopyWithPrivateKey(key);
    }

    private static X509Certificate2 CreateCertificate(X509Certificate2 issuer, string name, string? issuerAt = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        if (issuerAt is not null)
        {
            request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension([], [issuerAt]));
        }

        using var signed = request.Create(issuer, issuer.NotBefore, issuer.NotAfter, [4, 5, 6]);
        using var whole = signed.CopyWithPrivateKey(key);

        // Kestrel wants the key in a form that is kept.
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null);
    }

    private static async Task AnswerAsync(HttpContext context) =>
        await context.Response.Body.WriteAsync(new byte[] { 1 }, context.RequestAborted);
}
