using System.Net;
using Fpn.Client.Tests.Running;
using Fpn.Testing.Running;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Fpn.Client.Tests;

/// <summary><c>AddFpnClient</c> in a collection of services.</summary>
[Collection(GuardedProcess.Collection)]
public sealed class RegistrationTests(GuardedProcess service)
{
    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.SampleImage);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AddFpnClient_WithAddressAndKey_Detects()
    {
        await using var provider = Provide(options =>
        {
            options.BaseAddress = service.Address;
            options.ApiKey = KeyFile.Alice;
        });
        var client = provider.GetRequiredService<FpnClient>();
        Assert.NotEmpty((await client.DetectAsync(Sample, cancellationToken: Cancel)).Detections);
        Assert.Equal("blood-cells", (await client.GetModelAsync("blood-cells", Cancel)).Name);
    }

    /// <summary>The factory's client has the retries, timed by the registered clock, and further handlers inside
    /// them.</summary>
    [Fact]
    public async Task AddFpnClient_ABusyService_IsAskedAgain()
    {
        var clock = new ManualClock();
        var stub = new StubHandler(
            StubHandler.Answer(HttpStatusCode.ServiceUnavailable, retryAfter: "5"),
            StubHandler.Answer(HttpStatusCode.OK, "{\"models\": []}"));
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(clock);
        services.AddFpnClient(options => options.BaseAddress = StubHandler.Address)
            .ConfigurePrimaryHttpMessageHandler(() => stub);
        await using var provider = services.BuildServiceProvider();
        Assert.Empty(await provider.GetRequiredService<FpnClient>().ListModelsAsync(Cancel));
        Assert.Equal([TimeSpan.FromSeconds(5)], clock.Waits);
        Assert.Equal(2, stub.Requests.Count);
    }

    /// <summary>A proxy may serve the service below a path, with or without a slash at its end.</summary>
    [Theory]
    [InlineData("http://service.invalid")]
    [InlineData("http://service.invalid/")]
    [InlineData("http://service.invalid/vision")]
    [InlineData("http://service.invalid/vision/")]
    public async Task AddFpnClient_APathInTheAddress_IsKept(string address)
    {
        var stub = new StubHandler(StubHandler.Answer(HttpStatusCode.OK, "{\"models\": []}"));
        var services = new ServiceCollection();
        services.AddFpnClient(options => options.BaseAddress = new Uri(address))
            .ConfigurePrimaryHttpMessageHandler(() => stub);
        await using var provider = services.BuildServiceProvider();
        await provider.GetRequiredService<FpnClient>().ListModelsAsync(Cancel);
        Assert.Equal([new Uri(address.TrimEnd('/') + "/models")], stub.Requests);
    }

    /// <summary>The key never follows a redirect to another host.</summary>
    [Fact]
    public async Task AddFpnClient_ARedirect_IsNotFollowed()
    {
        using var listener = new HttpListener();
        var address = $"http://127.0.0.1:{FreePort.Find()}/";
        listener.Prefixes.Add(address);
        listener.Start();
        await using var provider = Provide(options =>
        {
            options.BaseAddress = new Uri(address);
            options.ApiKey = KeyFile.Alice;
        });
        var call = provider.GetRequiredService<FpnClient>().ListModelsAsync(Cancel);
        var context = await listener.GetContextAsync().WaitAsync(Cancel);
        context.Response.Redirect(service.Address + "models");
        context.Response.Close();
        Assert.Equal(HttpStatusCode.Found, (await Assert.ThrowsAsync<FpnProblemException>(() => call)).Status);
        Assert.Equal(KeyFile.Alice, context.Request.Headers["X-Api-Key"]);
    }

    /// <summary>The factory logs requests with their headers; not the key, whatever the level.</summary>
    [Fact]
    public async Task AddFpnClient_LogsOfTheFactory_DoNotHoldTheKey()
    {
        using var lines = new LogCollector();
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(lines));
        services.AddFpnClient(options =>
        {
            options.BaseAddress = service.Address;
            options.ApiKey = KeyFile.Alice;
        });
        await using var provider = services.BuildServiceProvider();
        await provider.GetRequiredService<FpnClient>().ListModelsAsync(Cancel);
        Assert.Contains(lines.All, line => line.Contains("X-Api-Key", StringComparison.Ordinal));
        Assert.DoesNotContain(lines.All, line => line.Contains(KeyFile.Alice, StringComparison.Ordinal));
    }

    public static TheoryData<Action<FpnClientOptions>, string> WrongOptions => new()
    {
        { _ => { }, "BaseAddress is not set" },
        { options => options.BaseAddress = new Uri("/detect", UriKind.Relative), "BaseAddress '/detect'" },
        { options => options.BaseAddress = new Uri("ftp://host/"), "BaseAddress 'ftp://host/'" },
        { options => options.ApiKey = "", "ApiKey" },
        { options => options.ApiKey = "secret\r\nX-Priority: high", "ApiKey" },
        { options => options.Timeout = TimeSpan.Zero, "Timeout 00:00:00" },
        { options => options.Timeout = TimeSpan.FromDays(25), "Timeout 25.00:00:00" },
        { options => options.MaxRetries = -1, "MaxRetries -1" },
        { options => options.RetryDelay = TimeSpan.FromSeconds(-1), "RetryDelay -00:00:01" },
        { options => options.MaxRetryDelay = TimeSpan.FromDays(2), "MaxRetryDelay 2.00:00:00" },
    };

    [Theory]
    [MemberData(nameof(WrongOptions))]
    public void AddFpnClient_AWrongOption_IsNamedAndTheKeyIsNot(Action<FpnClientOptions> spoil, string named)
    {
        using var provider = Provide(options =>
        {
            options.BaseAddress = named.StartsWith("BaseAddress is", StringComparison.Ordinal) ? null : service.Address;
            spoil(options);
        });
        var wrong = Assert.Throws<OptionsValidationException>(provider.GetRequiredService<FpnClient>);
        Assert.Contains(named, wrong.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", wrong.ToString(), StringComparison.Ordinal);

        // A host says so when it starts.
        Assert.Throws<OptionsValidationException>(provider.GetRequiredService<IStartupValidator>().Validate);
    }

    [Fact]
    public void FpnClient_WithoutAnAddress_IsRefused() =>
        Assert.Throws<ArgumentException>(() => new FpnClient(new HttpClient()));

    private static ServiceProvider Provide(Action<FpnClientOptions> configure)
    {
        var services = new ServiceCollection();
        services.AddFpnClient(configure);
        return services.BuildServiceProvider();
    }
}
