using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests;

/// <summary>Two real service processes behind a real nginx with docker/nginx.conf.</summary>
/// <remarks>Nothing else runs meanwhile, so that the replicas are not slower than their deadlines.</remarks>
[Collection(Alone.Collection)]
public sealed class NginxTests(ITestOutputHelper output)
{
    private const int Clients = 8;
    private const int ConnectionsWorthwhile = 10;

    /// <summary>As in docker/Dockerfile and docker-compose.yml, with nginx as the one trusted proxy.</summary>
    private static readonly string[] AsInContainers =
        [$"--Fpn:Models:Path={Checkout.BloodCells}", "--Fpn:Shutdown:Delay=5s", "--Fpn:Proxies:Trusted=127.0.0.1",
            "--Fpn:Batching:MaxBatchSize=1"];

    private static readonly TimeSpan LoadTime = TimeSpan.FromSeconds(60);
    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.SampleImage);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Configuration_AsShipped_PassesNginxsOwnCheck()
    {
        Assert.SkipWhen(NginxProcess.Absent is not null, NginxProcess.Absent ?? string.Empty);
        var (code, printed) = await NginxProcess.CheckAsync();
        Assert.True(code == 0, printed);
        Assert.Contains("test is successful", printed, StringComparison.Ordinal);
        Assert.DoesNotContain("[warn]", printed, StringComparison.Ordinal);
    }

    /// <summary>One replica is told to end, then the other is killed, and both are replaced, under load all the
    /// time.</summary>
    [Fact]
    public async Task Load_ReplicasEndDieAndReturn_NoRequestFails()
    {
        Assert.SkipWhen(NginxProcess.Absent is not null, NginxProcess.Absent ?? string.Empty);
        using var first = new ServiceProcess(AsInContainers);
        using var second = new ServiceProcess(AsInContainers,
            ("Serilog__MinimumLevel__Override__Microsoft.AspNetCore.Server.Kestrel.Connections", "Debug"));
        var (firstAddress, secondAddress) = (await first.WaitForAddressAsync(), await second.WaitForAddressAsync());
        using var nginx = new NginxProcess(firstAddress, secondAddress);
        await nginx.WaitUntilListeningAsync();

        var load = new SteadyLoad(nginx.Address, Clients, Sample);
        await load.MoreAsync(100);

        // SIGTERM: served on for the delay, then gone; the other one takes everything.
        var beforeTerminate = nginx.Log.All.Count;
        first.SendTerminate();
        Assert.Equal(0, (await first.WaitForExitAsync()).Code);
        await load.MoreAsync(50);
        var afterTerminate = nginx.Log.All;
        Assert.Contains(afterTerminate.Skip(beforeTerminate), line => Served(line, firstAddress));

        // A new one at the same address is found without being announced.
        using var third = new ServiceProcess([.. AsInContainers, "--urls", firstAddress.ToString()]);
        await third.WaitForAddressAsync();
        await nginx.Log.WaitForAsync(nginx.Log.All.Count, line => Served(line, firstAddress), Cancel);
        await load.MoreAsync(50);

        // SIGKILL: what it was working on is done again by the other.
        var beforeKill = nginx.Log.All.Count;
        second.SendKill();
        Assert.NotEqual(0, (await second.WaitForExitAsync()).Code);
        await load.MoreAsync(50);
        using var fourth = new ServiceProcess([.. AsInContainers, "--urls", secondAddress.ToString()]);
        await fourth.WaitForAddressAsync();
        await nginx.Log.WaitForAsync(nginx.Log.All.Count, line => Served(line, secondAddress), Cancel);
        while (load.Age < LoadTime)
        {
            await load.MoreAsync(1);
        }

        var failures = await load.StopAsync();
        await nginx.StopAsync();
        var all = nginx.Log.All;
        var cut = all.Skip(beforeKill).Count(line => Tried(line, secondAddress, "502, 200"));
        output.WriteLine($"{load.Answers} answers in {load.Age.TotalSeconds:F0} s, {failures.Count} failed, {cut} "
            + $"done again after SIGKILL");
        Assert.Empty(failures);
        Assert.NotEqual(0, cut);
        AssertConnectionsWereKept(second, all.Take(beforeKill).Count(line => Served(line, secondAddress)));
    }

    /// <summary>A full replica knows best when to come back: its 503 is not asked for at another.</summary>
    [Fact]
    public async Task FullQueue_Is503WithRetryAfter_AndNotTriedElsewhere()
    {
        Assert.SkipWhen(NginxProcess.Absent is not null, NginxProcess.Absent ?? string.Empty);
        string[] small = [.. AsInContainers, "--Fpn:Batching:QueueCapacity=1", "--Fpn:Shutdown:Delay=0s"];
        using var first = new ServiceProcess(small);
        using var second = new ServiceProcess(small);
        using var nginx = new NginxProcess(await first.WaitForAddressAsync(), await second.WaitForAddressAsync());
        await nginx.WaitUntilListeningAsync();
        using var client = new HttpClient { BaseAddress = nginx.Address };

        var answers = await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => client.PostDetectAsync(Sample)));
        var full = answers.Where(answer => answer.StatusCode != HttpStatusCode.OK).ToList();
        Assert.NotEmpty(full);
        Assert.NotEqual(answers.Length, full.Count);
        foreach (var answer in full)
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.True(answer.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
            Assert.Equal("queue-full", (await ReadProblemAsync(answer)).GetProperty("type").GetString());
        }

        Array.ForEach(answers, answer => answer.Dispose());
        await nginx.StopAsync();
        Assert.Equal(full.Count, nginx.Log.All.Count(line => line.Contains(" got=503 ", StringComparison.Ordinal)));
        Assert.DoesNotContain(nginx.Log.All, line => line.Contains("503,", StringComparison.Ordinal));
    }

    /// <summary>Who asks, under which id, and how much: what nginx tells the service, and what it answers
    /// itself.</summary>
    [Fact]
    public async Task Requests_ThroughNginx_CarryClientAndIdAndKeepTheLimits()
    {
        Assert.SkipWhen(NginxProcess.Absent is not null, NginxProcess.Absent ?? string.Empty);
        using var service = new ServiceProcess(AsInContainers.Append("--Fpn:Shutdown:Delay=0s"));
        var address = await service.WaitForAddressAsync();
        using var nginx = new NginxProcess(address, address);
        await nginx.WaitUntilListeningAsync();
        using var client = new HttpClient(From(IPAddress.Parse("127.0.0.5"))) { BaseAddress = nginx.Address };

        // The client's own id is kept, its claim about the address is not.
        client.DefaultRequestHeaders.Add("X-Request-Id", "order-4711");
        client.DefaultRequestHeaders.Add("X-Forwarded-For", "203.0.113.9");
        using (var answer = await client.PostDetectAsync(Sample))
        {
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal("order-4711", Assert.Single(answer.Headers.GetValues("X-Request-Id")));
        }

        // Without one nginx makes it, and both logs have it.
        client.DefaultRequestHeaders.Remove("X-Request-Id");
        using var named = await client.PostDetectAsync(Sample);
        var id = Assert.Single(named.Headers.GetValues("X-Request-Id"));
        await nginx.Log.WaitForAsync(0, line => line.Contains($" 127.0.0.5 \"POST /detect\" 200 ",
            StringComparison.Ordinal) && line.Contains($"id={id} ", StringComparison.Ordinal), Cancel);

        // 20 MiB and a form around them pass; the service judges what they are. More than that does not.
        const int Limit = 20 << 20;
        Assert.Equal((HttpStatusCode.UnsupportedMediaType, "unsupported-image-format"), await PostAsync(
            client, "detect", new ByteArrayContent(new byte[Limit])));
        using (var form = new MultipartFormDataContent())
        {
            form.Add(new ByteArrayContent(new byte[Limit]), "image", "zeros.bin");
            Assert.Equal((HttpStatusCode.UnsupportedMediaType, "unsupported-image-format"), await PostAsync(
                client, "detect", form));
        }

        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "image-too-large"), await PostAsync(
            client, "detect", new ByteArrayContent(new byte[Limit + 1])));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "image-too-large"), await PostAsync(
            client, "detect", new ByteArrayContent(new byte[Limit + (1 << 20)])));

        // Each replica's own affairs are not for the public.
        Assert.Equal(
            (HttpStatusCode.NotFound, "not-found"), await PostAsync(client, "metrics", new ByteArrayContent([])));
        using (var control = await client.PostAsync("v2/repository/index", null, Cancel))
        {
            Assert.Equal(HttpStatusCode.NotFound, control.StatusCode);
            Assert.True((await ReadProblemAsync(control)).TryGetProperty("error", out _));
        }

        service.SendTerminate();
        Assert.Equal(0, (await service.WaitForExitAsync()).Code);
        Assert.Contains(service.Output, line => IsDetection(line, "order-4711"));
        Assert.Contains(service.Output, line => IsDetection(line, id));

        static bool IsDetection(string line, string request) =>
            line.Contains("POST /detect 200", StringComparison.Ordinal)
            && line.Contains($"[client 127.0.0.5, key -, request {request}]", StringComparison.Ordinal);

        // With no replica left there is still an answer, and it says when to come back.
        using var nobody = await client.PostDetectAsync(Sample);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, nobody.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), nobody.Headers.RetryAfter?.Delta);
        Assert.Equal("no-replica", (await ReadProblemAsync(nobody)).GetProperty("type").GetString());

        // Of the two bodies that were too large, one was left to the service to judge.
        await nginx.StopAsync();
        Assert.Equal(2, nginx.Log.All.Count(line => line.Contains(" 413 ", StringComparison.Ordinal)));
        Assert.Single(nginx.Log.All, line => line.Contains(" 413 ", StringComparison.Ordinal) && line.Contains(
            " to=- ", StringComparison.Ordinal));
    }

    private static bool Served(string line, Uri replica) => Tried(line, replica, "200");

    /// <summary>Whether the first attempt of a request went to a replica, and met that status.</summary>
    private static bool Tried(string line, Uri replica, string status) =>
        line.Contains($" to={replica.Authority}", StringComparison.Ordinal) && line.Contains(
            $" got={status}", StringComparison.Ordinal);

    private static async Task<(HttpStatusCode Status, string? Type)> PostAsync(
        HttpClient client, string path, HttpContent content)
    {
        using (content)
        {
            using var answer = await client.PostAsync(path, content, Cancel);
            return (answer.StatusCode, (await ReadProblemAsync(answer)).GetProperty("type").GetString());
        }
    }

    private static async Task<JsonElement> ReadProblemAsync(HttpResponseMessage answer)
    {
        await using var body = await answer.Content.ReadAsStreamAsync(Cancel);
        using var document = await JsonDocument.ParseAsync(body, cancellationToken: Cancel);
        return document.RootElement.Clone();
    }

    /// <summary>Connects from one address of the loopback network, so that the client is not taken for nginx.</summary>
    private static SocketsHttpHandler From(IPAddress source) => new()
    {
        ConnectCallback = async (context, cancellationToken) =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Bind(new IPEndPoint(source, 0));
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
    };

    private void AssertConnectionsWereKept(ServiceProcess replica, int requests)
    {
        var connections = replica.Output.Count(line => line.Contains(
            "Connection id", StringComparison.Ordinal) && line.Contains("accepted", StringComparison.Ordinal));
        output.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{requests} requests over {connections} connections"));
        Assert.InRange(connections, 1, requests / ConnectionsWorthwhile);
    }
}
