using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Security;

/// <summary>
/// Keys come and go without a restart, and appear nowhere: not in the log at its most talkative, not in answers, not in
/// traces.
/// </summary>
[Trait("Speed", "slow")]
public sealed class KeySecrecyTests
{
    private const string Admin = "admin-6d3c1f0e9a8b7c5d";

    private static readonly string[] Secrets = ["5f2c9e7d41b8a063", "c0ffee8841d7e92a6b", "6d3c1f0e9a8b7c5d"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Keys_RotatedAndRevoked_WithoutARestart()
    {
        using var file = new KeyFile(KeyFile.Entry("alice-1", KeyFile.Alice));
        using var service = new RunningService(
            ("Fpn:Keys:File", file.Path), ("Fpn:Keys:ReloadInterval", "100ms"), ("Fpn:Batching:MaxBatchSize", "1"));
        Assert.Equal((200, 401), (await AskAsync(service, KeyFile.Alice), await AskAsync(service, KeyFile.Bob)));

        file.Write(KeyFile.Entry("alice-1", KeyFile.Alice), KeyFile.Entry("alice-2", KeyFile.Bob));
        await service.Log.WaitForAsync(0, line => line.Contains("alice-1, alice-2", StringComparison.Ordinal), Cancel);
        Assert.Equal((200, 200), (await AskAsync(service, KeyFile.Alice), await AskAsync(service, KeyFile.Bob)));

        var start = service.Log.All.Count;
        file.Write(KeyFile.Entry("alice-2", KeyFile.Bob));
        await service.Log.WaitForAsync(
            start, line => line.Contains("valid: alice-2", StringComparison.Ordinal), Cancel);
        Assert.Equal((401, 200), (await AskAsync(service, KeyFile.Alice), await AskAsync(service, KeyFile.Bob)));
        AssertNoSecret(service.Log.All);
    }

    [Fact]
    public async Task Control_AdminKeyRevoked_IsClosed()
    {
        const string Both = "\"scopes\": [\"detect\", \"admin\"]";
        using var file = new KeyFile(KeyFile.Entry("operator", Admin, Both));
        using var service = new RunningService(
            ("Fpn:Keys:File", file.Path),
            ("Fpn:Keys:ReloadInterval", "100ms"),
            ("Fpn:Batching:MaxBatchSize", "1"),
            ("Fpn:Control:Enabled", "true"));
        Assert.Equal(200, await AskAsync(service, Admin, "v2/repository/index"));
        var start = service.Log.All.Count;
        file.Write(KeyFile.Entry("operator", Admin));
        await service.Log.WaitForAsync(
            start, line => line.Contains("valid: operator", StringComparison.Ordinal), Cancel);
        Assert.Equal(403, await AskAsync(service, Admin, "v2/repository/index"));
        Assert.Equal(200, await AskAsync(service, Admin));
    }

    [Fact]
    public async Task Process_LoggingEverything_WritesNoKey()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "SIGTERM is absent on Windows");
        using var file = new KeyFile(KeyFile.Entry("alice", KeyFile.Alice));
        using var process = new ServiceProcess(
            [
                $"--Fpn:Models:Path={Checkout.BloodCells}", $"--Fpn:Keys:File={file.Path}",
                "--Fpn:Batching:MaxBatchSize=1",
            ],
            ("Fpn__Keys__Json", $"[{KeyFile.Entry("admin", Admin)}]"),
            ("Logging__LogLevel__Default", "Trace"),
            ("Serilog__MinimumLevel__Default", "Verbose"),
            ("Serilog__MinimumLevel__Override__Microsoft", "Verbose"),
            ("Serilog__MinimumLevel__Override__System", "Verbose"));
        var address = await process.WaitForAddressAsync();

        // Read at the same time: so much is logged that the pipe would fill up.
        var end = process.WaitForExitAsync();
        var answers = new List<string>();
        foreach (var header in (string[])
        [
            $"X-Api-Key: {KeyFile.Alice}", $"X-Api-Key: {Admin}", $"X-Api-Key: {KeyFile.Bob}",
            $"Authorization: Bearer {KeyFile.Alice}", $"Authorization: Bearer {KeyFile.Bob}",
            $"Authorization: Basic {KeyFile.Alice}", $"X-Api-Key: {KeyFile.Alice}\r\nX-Api-Key: {KeyFile.Bob}",

            // Lines that the server cannot read, and would quote.
            $"X-Api-Key: {KeyFile.Alice}\0", $"X-Api-Key : {KeyFile.Alice}", $"X-Api-Key {KeyFile.Alice}",
        ])
        {
            using var connection = await RawConnection.OpenAsync(address);
            await connection.SendAsync($"GET /models HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{header}\r\n\r\n");
            answers.Add(await connection.ReadToEndAsync());
        }

        using (var client = new HttpClient { BaseAddress = address })
        {
            client.DefaultRequestHeaders.Add("X-Api-Key", KeyFile.Alice);
            using var detected = await client.PostDetectAsync(MadePng.OnePixel());
            Assert.Equal(HttpStatusCode.OK, detected.StatusCode);
        }

        process.SendTerminate();
        var (code, errors) = await end;
        Assert.Equal(0, code);
        Assert.Equal(
            ["200", "200", "401", "200", "401", "401", "401", "400", "400", "400"],
            answers.Select(answer => answer.Split(' ')[1]));
        Assert.Contains(process.Output, line => line.Contains(" DBG ", StringComparison.Ordinal));
        AssertNoSecret([.. process.Output, .. errors, .. answers]);
    }

    [Fact]
    public async Task Traces_OfRequestsWithKeys_HoldNone()
    {
        var trace = ActivityTraceId.CreateRandom();
        var told = new ConcurrentQueue<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                // Other tests run at the same time.
                if (activity.TraceId == trace)
                {
                    var tags = activity.TagObjects.Concat(activity.Events.SelectMany(item => item.Tags))
                        .Concat(
                            activity.Baggage.Select(item => new KeyValuePair<string, object?>(item.Key, item.Value)))
                        .Select(tag => $"{tag.Key}={tag.Value}");
                    told.Enqueue(string.Join(' ', [activity.OperationName, activity.DisplayName, .. tags]));
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        using var service = new RunningService(
            ("Fpn:Keys:Json", $"[{KeyFile.Entry("alice", KeyFile.Alice)}]"), ("Fpn:Batching:MaxBatchSize", "1"));
        foreach (var (key, status) in new[] { (KeyFile.Alice, 200), (KeyFile.Bob, 401) })
        {
            using var connection = await RawConnection.OpenAsync(service.Address);
            await connection.SendAsync(
                $"GET /models HTTP/1.1\r\nHost: test\r\ntraceparent: 00-{trace}-{ActivitySpanId.CreateRandom()}-01\r\n"
                + $"X-Api-Key: {key}\r\n\r\n");
            Assert.Equal(status, (await connection.ReadAnswerAsync()).Status);
        }

        const string Span = "Microsoft.AspNetCore.Hosting.HttpRequestIn ";
        await Eventually.TrueAsync(() => told.Count(line => line.StartsWith(Span, StringComparison.Ordinal)) == 2);
        AssertNoSecret(told);
    }

    private static async Task<int> AskAsync(RunningService service, string key, string path = "models")
    {
        using var request = new HttpRequestMessage(path == "models" ? HttpMethod.Get : HttpMethod.Post, path);
        request.Headers.Add("X-Api-Key", key);
        using var response = await service.Client.SendAsync(request, Cancel);
        return (int)response.StatusCode;
    }

    private static void AssertNoSecret(IReadOnlyCollection<string> lines)
    {
        Assert.NotEmpty(lines);
        Assert.All(
            Secrets, secret => Assert.DoesNotContain(lines, line => line.Contains(secret, StringComparison.Ordinal)));
    }
}
