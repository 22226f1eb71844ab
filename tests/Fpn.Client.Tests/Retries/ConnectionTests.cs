using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using Fpn.Client.Tests.Running;
using Fpn.Testing.Running;

namespace Fpn.Client.Tests.Retries;

/// <summary>Real connections that cannot be made, or break.</summary>
public sealed partial class ConnectionTests : IDisposable
{
    private const string Answer =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\nConnection: close\r\n\r\n"
        + "{\"results\":[]}";

    private static readonly byte[] Continue = "HTTP/1.1 100 Continue\r\n\r\n"u8.ToArray();

    private static readonly byte[] Image = new byte[4 << 20];

    private readonly ManualClock _clock = new(held: true);
    private readonly TcpListener _listener = new(IPAddress.Loopback, FreePort.Find());
    private readonly HttpClient _http;

    public ConnectionTests() =>
        _http = new HttpClient(
            new FpnRetryHandler(new FpnClientOptions(), _clock) { InnerHandler = new SocketsHttpHandler() })
        {
            BaseAddress = new Uri($"http://{_listener.LocalEndpoint}/"),
        };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _http.Dispose();
        _listener.Dispose();
    }

    [Fact]
    public async Task Connection_RefusedAtFirst_IsMadeLater()
    {
        // A stream that can be sent once was not begun: it is sent later.
        await using var stream = new OneWayStream(Image);
        var call = new FpnClient(_http).DetectBatchAsync([stream], cancellationToken: Cancel);
        await _clock.WaitUntilWaitingAsync(call);
        Assert.Equal(0, stream.Taken);
        _listener.Start();
        _clock.EndWait();
        await AnswerAsync();
        Assert.Empty(await call);
        Assert.Equal(Image.Length, stream.Taken);
    }

    /// <summary>In the middle of the body: what can be sent again is, what cannot is reported.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connection_BrokenWhileItSends_IsMadeAgainIfTheBodyIsThere(bool oneWay)
    {
        _listener.Start();
        await using var stream = new OneWayStream(Image);
        ImageSource image = oneWay ? stream : Image;
        var call = new FpnClient(_http).DetectBatchAsync([image], cancellationToken: Cancel);
        using (var broken = await _listener.AcceptTcpClientAsync(Cancel))
        {
            await ReadHeadAsync(broken.GetStream());
            if (oneWay)
            {
                await broken.GetStream().WriteAsync(Continue, Cancel);
            }

            await broken.GetStream().ReadExactlyAsync(new byte[1 << 16], Cancel);
            broken.LingerState = new LingerOption(enable: true, seconds: 0);
        }

        if (oneWay)
        {
            // Not the other way round: a wait would have no end.
            await Assert.ThrowsAsync<HttpRequestException>(() => _clock.WaitUntilWaitingAsync(call));
        }
        else
        {
            await _clock.WaitUntilWaitingAsync(call);
            _clock.EndWait();
            await AnswerAsync();
            Assert.Empty(await call);
        }
    }

    /// <summary>After the whole body, before the answer.</summary>
    [Fact]
    public async Task Connection_ClosedWithoutAnswer_IsMadeAgain()
    {
        _listener.Start();
        var call = new FpnClient(_http).DetectBatchAsync([Image], cancellationToken: Cancel);
        using (var closed = await _listener.AcceptTcpClientAsync(Cancel))
        {
            await ReadRequestAsync(closed.GetStream());
        }

        await _clock.WaitUntilWaitingAsync(call);
        _clock.EndWait();
        await AnswerAsync();
        Assert.Empty(await call);
    }

    private async Task AnswerAsync()
    {
        using var connection = await _listener.AcceptTcpClientAsync(Cancel);
        var stream = connection.GetStream();
        await ReadRequestAsync(stream);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(Answer), Cancel);
    }

    private static async Task ReadRequestAsync(NetworkStream stream)
    {
        var head = await ReadHeadAsync(stream);
        if (head.Contains("Expect: 100-continue", StringComparison.Ordinal))
        {
            await stream.WriteAsync(Continue, Cancel);
        }

        // To the very end: a connection that is closed with bytes unread takes the answer with it.
        var boundary = Boundary().Match(head).Groups[1].Value;
        var end = $"--{boundary}--\r\n" + (head.Contains("chunked", StringComparison.Ordinal) ? "\r\n0\r\n\r\n" : "");
        var tail = string.Empty;
        var buffer = new byte[1 << 16];
        while (!tail.EndsWith(end, StringComparison.Ordinal))
        {
            var count = await stream.ReadAsync(buffer, Cancel);
            Assert.NotEqual(0, count);
            tail = tail[Math.Max(0, tail.Length - end.Length)..] + Encoding.Latin1.GetString(buffer, 0, count);
        }
    }

    private static async Task<string> ReadHeadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(one, Cancel);
            head.Append((char)one[0]);
        }

        return head.ToString();
    }

    [GeneratedRegex("boundary=\"(.+?)\"")]
    private static partial Regex Boundary();
}
