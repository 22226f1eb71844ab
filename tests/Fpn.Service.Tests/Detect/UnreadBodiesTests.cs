using System.Globalization;
using System.Text;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Detect;

/// <summary>Clients that send a large body whole before they listen read the answer.</summary>
[Trait("Speed", "slow")]
public sealed class UnreadBodiesTests(GuardedService guarded) : IClassFixture<GuardedService>
{
    /// <summary>More than what the server itself would take, 30 MB.</summary>
    private const int Large = 40 << 20;

    private const int Piece = 1 << 20;

    /// <summary>Answers of every kind that look at no body: request line, key, status.</summary>
    public static TheoryData<string, string?, int> Refusals => new()
    {
        { "POST /detect", null, 401 },
        { "POST /detect", "wrong-key-0123456789", 401 },
        { "POST /detect", GuardedService.Scraper, 403 },
        { "POST /detect?model=cats", GuardedService.Operator, 404 },
        { "POST /detect?what=1", GuardedService.Operator, 400 },
        { "POST /detect", GuardedService.Operator, 413 },
        { "POST /detect/batch", null, 401 },
        { "POST /detect/batch?model=cats", GuardedService.Operator, 404 },
        { "POST /detect/batch", GuardedService.Operator, 400 },
        { "POST /nothing", null, 404 },
        { "POST /", null, 405 },
        { "PUT /models", GuardedService.Operator, 405 },
        { "POST /metrics", GuardedService.Operator, 405 },
        { "POST /health/live", null, 200 },
        { "GET /models/cats", GuardedService.Operator, 404 },
        { "POST /v2/models/blood-cells/infer", null, 401 },
        { "POST /v2/models/cats/infer", GuardedService.Operator, 404 },
        { "POST /v2/nothing", GuardedService.Operator, 404 },
        { "POST /v2/repository/index", GuardedService.Operator, 403 },
        { "POST /v2/repository/models/blood-cells/load", null, 401 },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Request_AnsweredBeforeItsLargeBodyEnds_ReadsTheAnswer(string request, string? key, int status)
    {
        Assert.Equal(status, (await SendAllAsync(guarded.Service, request, key, isChunked: false)).Status);
        Assert.Equal(status, (await SendAllAsync(guarded.Service, request, key, isChunked: true)).Status);
    }

    [Fact]
    public async Task Request_OverItsRate_ReadsThe429AndKeepsItsConnection()
    {
        using var connection = await RawConnection.OpenAsync(guarded.Service.Address);
        List<int> statuses = [];
        for (var i = 0; i < 4; i++)
        {
            await SendAsync(connection, "POST /detect", GuardedService.Slow, isChunked: false);
            statuses.Add((await connection.ReadAnswerAsync()).Status);
        }

        Assert.Equal([413, 413, 429, 429], statuses);
    }

    [Fact]
    public async Task Repository_BodyThatIsTooLarge_Reads413()
    {
        using var keys = new KeyFile(KeyFile.Entry("operator", GuardedService.Operator, "\"scopes\": [\"admin\"]"));
        using var service = new RunningService(
            ("Fpn:Keys:File", keys.Path), ("Fpn:Control:Enabled", "true"), ("Fpn:Batching:MaxBatchSize", "1"));
        var answer = await SendAllAsync(
            service, "POST /v2/repository/index", GuardedService.Operator, isChunked: false);
        Assert.Equal(413, answer.Status);
        Assert.Contains("the body is larger than", answer.Body, StringComparison.Ordinal);
    }

    private static async Task<RawAnswer> SendAllAsync(
        RunningService service, string request, string? key, bool isChunked)
    {
        using var connection = await RawConnection.OpenAsync(service.Address);
        await SendAsync(connection, request, key, isChunked);
        return await connection.ReadAnswerAsync();
    }

    private static async Task SendAsync(RawConnection connection, string request, string? key, bool isChunked)
    {
        var head = new StringBuilder($"{request} HTTP/1.1\r\nHost: test\r\n");
        head.Append(key is null ? string.Empty : $"X-Api-Key: {key}\r\n");
        head.Append(isChunked
            ? "Transfer-Encoding: chunked\r\n\r\n"
            : string.Create(CultureInfo.InvariantCulture, $"Content-Length: {Large}\r\n\r\n"));
        await connection.SendAsync(head.ToString());
        var piece = new byte[Piece];
        for (var sent = 0; sent < Large; sent += Piece)
        {
            await connection.SendAsync(isChunked ? [.. "100000\r\n"u8, .. piece, .. "\r\n"u8] : piece);
        }

        if (isChunked)
        {
            await connection.SendAsync("0\r\n\r\n");
        }
    }
}
