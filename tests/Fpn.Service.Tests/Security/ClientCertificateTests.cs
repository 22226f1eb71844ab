using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Security;

/// <summary>Client certificates by Kestrel's own settings, as docs/security.md has them.</summary>
[Trait("Speed", "slow")]
public sealed class ClientCertificateTests : IDisposable
{
    private static readonly DateTimeOffset Start = TimeProvider.System.GetUtcNow().AddHours(-1);

    private readonly string _folder = Directory.CreateTempSubdirectory("fpn-certificates-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Connection_RequireCertificate_NeedsOneOfTheAuthority()
    {
        using var authority = CreateAuthority("clients");
        using var other = CreateAuthority("strangers");
        using var server = CreateCertificate(authority, "localhost", "server");
        using var client = CreateCertificate(authority, "camera-7", "client");
        using var stranger = CreateCertificate(other, "camera-7", "stranger");
        var authorityFile = Path.Combine(_folder, "clients-ca.crt");
        await File.WriteAllTextAsync(authorityFile, authority.ExportCertificatePem(), Cancel);
        using var service = new ServiceProcess(
            [],
            ("Fpn__Models__Path", Checkout.BloodCells),
            ("Kestrel__Endpoints__Https__Url", $"https://127.0.0.1:{FreePort.Find()}"),
            ("Kestrel__Endpoints__Https__Certificate__Path", Path.Combine(_folder, "server.crt")),
            ("Kestrel__Endpoints__Https__Certificate__KeyPath", Path.Combine(_folder, "server.key")),
            ("Kestrel__Endpoints__Https__ClientCertificateMode", "RequireCertificate"),
            ("SSL_CERT_FILE", authorityFile));
        var address = await service.WaitForAddressAsync();

        Assert.Equal(HttpStatusCode.OK, await AskAsync(address, client));
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(address, stranger));
        await Assert.ThrowsAsync<HttpRequestException>(() => AskAsync(address, null));
        service.SendTerminate();
        Assert.Equal(0, (await service.WaitForExitAsync()).Code);
    }

    private static async Task<HttpStatusCode> AskAsync(Uri address, X509Certificate2? certificate)
    {
        using var handler = new HttpClientHandler
        {
            // The server's own certificate is not what is tested.
            ServerCertificateCustomValidationCallback = HttpClientHandler.DangerousAcceptAnyServerCertificateValidator,
            ClientCertificateOptions = ClientCertificateOption.Manual,
        };
        if (certificate is not null)
        {
            handler.ClientCertificates.Add(certificate);
        }

        using var client = new HttpClient(handler);
        using var response = await client.GetAsync(new Uri(address, "models"), Cancel);
        return response.StatusCode;
    }

    private static X509Certificate2 CreateAuthority(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(Start, Start.AddDays(1));
    }

    /// <summary>Makes a certificate, also as files.</summary>
    private X509Certificate2 CreateCertificate(X509Certificate2 authority, string name, string file)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        using var signed = request.Create(authority, Start, Start.AddHours(12), Guid.NewGuid().ToByteArray());
        File.WriteAllText(Path.Combine(_folder, $"{file}.crt"), signed.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder, $"{file}.key"), key.ExportPkcs8PrivateKeyPem());
        return signed.CopyWithPrivateKey(key);
    }
}
