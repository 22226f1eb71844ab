using System.Net.Sockets;
using System.Text;

namespace Fpn.Service.Tests.Running;

/// <summary>A connection that speaks HTTP/1.1 by hand, for what well-behaved clients do not send.</summary>
internal sealed class RawConnection : IDisposable
{
    private readonly TcpClient _client = new();

    private RawConnection()
    {
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Connects.</summary>
    public static async Task<RawConnection> OpenAsync(Uri address)
    {
        var connection = new RawConnection();
        await connection._client.ConnectAsync(address.Host, address.Port, Cancel);
        return connection;
    }

    /// <summary>Sends text as ASCII.</summary>
    public Task SendAsync(string text) => SendAsync(Encoding.ASCII.GetBytes(text));

    /// <summary>Sends bytes.</summary>
    public async Task SendAsync(byte[] bytes) => await _client.GetStream().WriteAsync(bytes, Cancel);

    /// <summary>Reads up to the first empty line.</summary>
    /// <returns>The lines before it, with their line ends.</returns>
    public async Task<string> ReadHeadAsync()
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await _client.GetStream().ReadExactlyAsync(one, Cancel);
            head.Append((char)one[0]);
        }

        return head.ToString();
    }

    /// <summary>Reads until the service closes the connection.</summary>
    public async Task<string> ReadToEndAsync()
    {
        using var reader = new StreamReader(_client.GetStream(), Encoding.UTF8, leaveOpen: true);
        return await reader.ReadToEndAsync(Cancel);
    }

    /// <summary>Cuts the connection: the service sees a reset, not an end.</summary>
    public void Reset()
    {
        _client.LingerState = new LingerOption(enable: true, seconds: 0);
        _client.Close();
    }

    public void Dispose() => _client.Dispose();
}
