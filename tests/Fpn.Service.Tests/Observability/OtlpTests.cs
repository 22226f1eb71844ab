using System.Net;
using Fpn.Testing.Images;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Observability;

/// <summary>What a collector gets: the metrics that /metrics has, and a trace for every request.</summary>
[Trait("Speed", "slow")]
public sealed class OtlpTests
{
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string Parent = "00f067aa0ba902b7";
    private const string Traced = $"00-{Trace}-{Parent}-01";

    private static readonly string[] Stages =
        ["decode", "queue", "preprocess", "backbone", "proposals", "head", "postprocess"];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("grpc")]
    [InlineData("http/protobuf")]
    public async Task Endpoint_Configured_GetsMetricsOfThisService(string protocol)
    {
        await using var receiver = await OtlpReceiver.StartAsync(protocol == "grpc");
        await ServeAsync(receiver, protocol);

        var resources = receiver.Metrics.SelectMany(request => request.Messages(1)).ToArray();
        Assert.NotEmpty(resources);
        Assert.All(resources, resource => Assert.Equal("fpn-service", Resource(resource)["service.name"]));
        Assert.All(resources, resource => Assert.Equal("0.1.0", Resource(resource)["service.version"]));
        var names = resources
            .SelectMany(resource => resource.Messages(2))
            .SelectMany(scope => scope.Messages(2))
            .Select(metric => metric.Text(1)).ToHashSet();
        Assert.Superset(
            new HashSet<string>
            {
                "fpn.requests", "fpn.request.duration", "fpn.stage.duration", "fpn.inferences", "fpn.executions",
                "fpn.batch.size",
                "fpn.batch.padding.ratio",
                "fpn.image.pixels",
                "fpn.image.detections",
                "fpn.queue.depth",
                "fpn.requests.in_flight", "fpn.model.info", "fpn.ready",
                "http.server.request.duration", "kestrel.active_connections", "dotnet.process.memory.working_set",
            },
            names);
    }

    [Theory]
    [InlineData("grpc")]
    [InlineData("http/protobuf")]
    public async Task Endpoint_Configured_GetsOneSpanAStageLinkedToTheBatch(string protocol)
    {
        await using var receiver = await OtlpReceiver.StartAsync(protocol == "grpc");
        await ServeAsync(receiver, protocol);

        var sent = SentSpan.All(receiver.Traces);
        var spans = sent.Where(span => span.TraceId == Trace).ToArray();
        var request = Assert.Single(spans, span => span.Kind == 2 && span.Name == "POST /detect");
        Assert.Equal(Parent, request.ParentId);
        Assert.Equal("POST", request.Attributes["http.request.method"]);
        Assert.Equal("/detect", request.Attributes["http.route"]);
        var image = Assert.Single(spans, span => span.Name == "detect");
        Assert.Equal(request.Id, image.ParentId);
        Assert.Equal(("blood-cells", "1"), (image.Attributes["fpn.model"], image.Attributes["fpn.model.version"]));

        var stages = spans.Where(span => span.ParentId == image.Id)
            .OrderBy(span => Array.IndexOf(Stages, span.Name)).ToArray();
        Assert.Equal(Stages, stages.Select(span => span.Name));
        Assert.Equal(stages.Select(span => span.Start).Order(), stages.Select(span => span.Start));
        Assert.All(stages, span => Assert.InRange(span.End, span.Start + 1, ulong.MaxValue));

        // A trace of its own, since many requests may share it; each knows the other.
        var link = Assert.Single(stages.SelectMany(span => span.Links).Distinct());
        Assert.All(stages, span => Assert.Single(span.Links));
        var batch = Assert.Single(sent, span => (span.TraceId, span.Id) == link);
        Assert.Equal(("batch", string.Empty), (batch.Name, batch.ParentId));
        Assert.NotEqual(Trace, batch.TraceId);
        Assert.Equal([(Trace, image.Id)], batch.Links);
    }

    [Fact]
    public async Task Endpoint_ImageThatIsNone_IsToldApartFromFailures()
    {
        await using var receiver = await OtlpReceiver.StartAsync(grpc: false);
        using (var service = Start(receiver, "http/protobuf"))
        {
            using var response = await PostAsync(service, [1, 2, 3]);
            Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
        }

        var spans = SentSpan.All(receiver.Traces).Where(span => span.TraceId == Trace).ToArray();
        var image = Assert.Single(spans, span => span.Name == "detect");
        Assert.Equal(("unsupported-image-format", 0), (image.Attributes["error.type"], image.Status));
        Assert.Single(spans, span => span.Name == "POST /detect");
        Assert.Equal(2, spans.Length);
    }

    [Fact]
    public async Task Endpoint_Probes_AreNotSent()
    {
        await using var receiver = await OtlpReceiver.StartAsync(grpc: false);
        using (var service = Start(receiver, "http/protobuf"))
        {
            foreach (var path in new[] { "health/live", "health/ready", "metrics", "models" })
            {
                using var request =
                    new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "traceparent", Traced } } };
                using var response = await service.Client.SendAsync(request, Cancel);
                Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            }
        }

        var spans = SentSpan.All(receiver.Traces).Where(span => span.TraceId == Trace);
        Assert.Equal(["GET /models"], spans.Select(span => span.Name));
    }

    [Fact]
    public async Task Endpoint_ModelThatFails_IsAnErrorInEverySpan()
    {
        await using var receiver = await OtlpReceiver.StartAsync(grpc: false);
        using var models = new ModelFolder();
        models.AddSpoiled("blood-cells", "class_logits", float.NaN);
        using (var service = Start(receiver, "http/protobuf", ("Fpn:Models:Path", models.Path)))
        {
            using var response = await PostAsync(service, await File.ReadAllBytesAsync(Checkout.WideImage, Cancel));
            Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        }

        const int Error = 2;
        var sent = SentSpan.All(receiver.Traces);
        var request = Assert.Single(sent, span => span.TraceId == Trace && span.Name == "POST /detect");
        var image = Assert.Single(sent, span => span.TraceId == Trace && span.Name == "detect");
        var batch = Assert.Single(sent, span => span.Name == "batch" && span.Links.Contains((Trace, image.Id)));
        Assert.All([request, image, batch], span => Assert.Equal(Error, span.Status));
        Assert.All([image, batch], span => Assert.Equal("model-output-not-finite", span.Attributes["error.type"]));
    }

    /// <summary>A collector that is gone must cost no request and no clean end.</summary>
    [Fact]
    public async Task Endpoint_NobodyListens_ServesSaysSoAndEnds()
    {
        string gone;
        await using (var receiver = await OtlpReceiver.StartAsync(grpc: false))
        {
            gone = receiver.Address;
        }

        using var process = new ServiceProcess([
            $"--Fpn:Models:Path={Checkout.BloodCells}",
            $"--Fpn:Telemetry:OtlpEndpoint={gone}",
            "--Fpn:Telemetry:OtlpProtocol=http/protobuf"]);
        using var client = new HttpClient { BaseAddress = await process.WaitForAddressAsync() };
        await client.DetectAsync(MadeImages.Read("smear-480x640.jpg"));
        process.SendTerminate();
        var (code, errors) = await process.WaitForExitAsync();
        Assert.Equal(0, code);
        Assert.Empty(errors);
        var said = Assert.Single(
            process.Output, line => line.Contains("WRN Metrics or traces", StringComparison.Ordinal));
        Assert.Contains(gone, said, StringComparison.Ordinal);
    }

    /// <summary>The variable that collectors set for every program does as well as the setting.</summary>
    [Fact]
    public async Task Endpoint_FromTheVariable_IsUsed()
    {
        await using var receiver = await OtlpReceiver.StartAsync(grpc: false);
        using var process = new ServiceProcess(
            [$"--Fpn:Models:Path={Checkout.BloodCells}"],
            ("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.Address),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_SERVICE_NAME", "another-name"));
        using var client = new HttpClient { BaseAddress = await process.WaitForAddressAsync() };
        await client.DetectAsync(MadeImages.Read("smear-480x640.jpg"));
        process.SendTerminate();
        Assert.Equal(0, (await process.WaitForExitAsync()).Code);
        Assert.NotEmpty(receiver.Metrics);
        Assert.All(
            receiver.Metrics.SelectMany(request => request.Messages(1)),
            resource => Assert.Equal("another-name", Resource(resource)["service.name"]));
        var names = SentSpan.All(receiver.Traces).Select(span => span.Name).ToHashSet();
        Assert.Superset(new HashSet<string>(["detect", "batch", .. Stages]), names);
    }

    private static Dictionary<string, string> Resource(WireMessage resource) =>
        resource.Messages(1).Single().Messages(1)
        .ToDictionary(attribute => attribute.Text(1), attribute => attribute.Messages(2).Single().Text(1));

    private static RunningService Start(
        OtlpReceiver receiver, string protocol, params (string Name, string Value)[] more) =>
        new([("Fpn:Telemetry:OtlpEndpoint", receiver.Address), ("Fpn:Telemetry:OtlpProtocol", protocol), .. more]);

    /// <summary>Lets a service answer one image of a known trace, and ends it, which sends what it has.</summary>
    private static async Task ServeAsync(OtlpReceiver receiver, string protocol)
    {
        using var service = Start(receiver, protocol);
        using var response = await PostAsync(service, MadeImages.Read("smear-480x640.jpg"));
        await response.ReadDetectionAsync();
    }

    private static async Task<HttpResponseMessage> PostAsync(RunningService service, byte[] image)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "detect")
        {
            Content = new ByteArrayContent(image),
            Headers = { { "traceparent", Traced } },
        };
        return await service.Client.SendAsync(request, Cancel);
    }
}
