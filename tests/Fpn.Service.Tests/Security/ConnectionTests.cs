using Fpn.Service.Tests.Detect;
using Fpn.Testing.Running;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Fpn.Service.Tests.Security;

/// <summary>Clients that take their time, or too much.</summary>
[Trait("Speed", "slow")]
public sealed class ConnectionTests
{
    private const string Head = "GET /health/live HTTP/1.1\r\nHost: test\r\n";

    private static readonly (string Name, string Value) Quick = ("Fpn:Batching:MaxBatchSize", "1");

    [Fact]
    public async Task Connection_HeadersThatStop_Is408AndClosed()
    {
        using var service = new RunningService(("Fpn:Connections:HeadersTimeout", "1s"), Quick);
        using var connection = await RawConnection.OpenAsync(service.Address);
        await connection.SendAsync(Head + "X-Slow: ");
        Assert.StartsWith("HTTP/1.1 408 ", await connection.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connection_Idle_IsClosed()
    {
        using var service = new RunningService(("Fpn:Connections:IdleTimeout", "1s"), Quick);
        using var silent = await RawConnection.OpenAsync(service.Address);
        using var done = await RawConnection.OpenAsync(service.Address);
        await done.SendAsync(Head + "\r\n");
        Assert.Equal(200, (await done.ReadAnswerAsync()).Status);
        Assert.Empty(await silent.ReadToEndAsync());
        Assert.Empty(await done.ReadToEndAsync());
    }

    [Fact]
    public async Task Connection_OneTooMany_IsClosed()
    {
        using var service = new RunningService(("Fpn:Connections:Max", "1"), Quick);
        using var first = await RawConnection.OpenAsync(service.Address);
        await first.SendAsync(Head + "\r\n");
        Assert.Equal(200, (await first.ReadAnswerAsync()).Status);
        using (var second = await RawConnection.OpenAsync(service.Address))
        {
            Assert.Empty(await second.ReadToEndAsync());
        }

        await first.SendAsync(Head + "\r\n");
        Assert.Equal(200, (await first.ReadAnswerAsync()).Status);
    }

    [Theory]
    [InlineData(100, 10)]
    [InlineData(1, 20_000)]
    public async Task Connection_TooManyOrTooLongHeaders_Is431(int count, int length)
    {
        using var service = new RunningService(Quick);
        using var connection = await RawConnection.OpenAsync(service.Address);
        var lines = Enumerable.Range(0, count).Select(i => $"X-Header-{i}: {new string('h', length)}\r\n");
        await connection.SendAsync($"{Head}{string.Concat(lines)}\r\n");
        Assert.StartsWith("HTTP/1.1 431 ", await connection.ReadHeadAsync(), StringComparison.Ordinal);
    }

    /// <summary>That a body below the rate is 408 is shown in <see cref="ProtocolTests"/>.</summary>
    [Fact]
    public void Connection_Rate_IsTheSetting()
    {
        using var service = new RunningService(("Fpn:Connections:MinBytesPerSecond", "12345"), Quick);
        var limits = service.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits;
        Assert.Equal(12345, limits.MinRequestBodyDataRate?.BytesPerSecond);
        Assert.Equal(12345, limits.MinResponseDataRate?.BytesPerSecond);
    }
}
