using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Fpn.Testing.Running;

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

    /// <summary>Sends <c>POST /detect</c> with an image, on a connection that is to be kept.</summary>
    /// <param name="image">The body.</param>
    /// <param name="headers">More header lines, each with its line end.</param>
    public Task SendDetectAsync(byte[] image, string headers = "") =>
        SendAsync([.. Encoding.ASCII.GetBytes(
            $"POST /detect HTTP/1.1\r\nHost: test\r\nContent-Length: {image.Length}\r\n{headers}\r\n"), .. image]);

    /// <summary>Reads one whole answer and leaves the connection as it is.</summary>
    /// <exception cref="IOException">The service cut the connection before or within the answer.</exception>
    public async Task<RawAnswer> ReadAnswerAsync()
    {
        var head = await ReadHeadAsync();
        using var body = new MemoryStream();
        if (Header(head, "Content-Length") is { } length)
        {
            body.Write(await ReadAsync(int.Parse(length, CultureInfo.InvariantCulture)));
        }
        else if (Header(head, "Transfer-Encoding") == "chunked")
        {
            for (var size = await ReadChunkSizeAsync(); size > 0; size = await ReadChunkSizeAsync())
            {
                body.Write(await ReadAsync(size));
                await ReadAsync(2);
            }

            await ReadAsync(2);
        }

        return new RawAnswer(int.Parse(head.AsSpan(9, 3), CultureInfo.InvariantCulture), Header(
            head, "Connection") == "close", Encoding.UTF8.GetString(body.ToArray()));
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

    private static string? Header(string head, string name) => head.Split("\r\n")
        .FirstOrDefault(line => line.StartsWith($"{name}:", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..]
            .Trim();

    private async Task<int> ReadChunkSizeAsync()
    {
        var line = new StringBuilder();
        while (!line.ToString().EndsWith("\r\n", StringComparison.Ordinal))
        {
            line.Append((char)(await ReadAsync(1))[0]);
        }

        return int.Parse(line.ToString().AsSpan().TrimEnd(), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }

    private async Task<byte[]> ReadAsync(int count)
    {
        var bytes = new byte[count];
        await _client.GetStream().ReadExactlyAsync(bytes, Cancel);
        return bytes;
    }
}

/// <summary>What <see cref="RawConnection"/> read.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Closes">Whether the service closes the connection after it.</param>
/// <param name="Body">As text.</param>
internal sealed record RawAnswer(int Status, bool Closes, string Body);
