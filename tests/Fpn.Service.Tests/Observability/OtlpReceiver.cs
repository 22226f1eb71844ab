using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Fpn.Service.Tests.Observability;

/// <summary>A collector that keeps what it is sent: OTLP over HTTP/1.1, or over gRPC.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private const int FramePrefix = 5;

    private readonly WebApplication _app;
    private readonly ConcurrentQueue<WireMessage> _metrics = [];
    private readonly ConcurrentQueue<WireMessage> _traces = [];

    private OtlpReceiver(bool grpc)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var protocols = grpc ? HttpProtocols.Http2 : HttpProtocols.Http1;
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = protocols));
        _app = builder.Build();
        if (grpc)
        {
            const string Package = "/opentelemetry.proto.collector";
            _app.MapPost($"{Package}.metrics.v1.MetricsService/Export", context => KeepGrpcAsync(context, _metrics));
            _app.MapPost($"{Package}.trace.v1.TraceService/Export", context => KeepGrpcAsync(context, _traces));
        }
        else
        {
            _app.MapPost("/base/v1/metrics", context => KeepAsync(context, _metrics));
            _app.MapPost("/base/v1/traces", context => KeepAsync(context, _traces));
        }
    }

    /// <summary>Where it listens; over HTTP below a path of its own.</summary>
    public string Address { get; private set; } = string.Empty;

    /// <summary>ExportMetricsServiceRequest, each.</summary>
    public IReadOnlyCollection<WireMessage> Metrics => _metrics;

    /// <summary>ExportTraceServiceRequest, each.</summary>
    public IReadOnlyCollection<WireMessage> Traces => _traces;

    /// <summary>Starts it on a free port.</summary>
    public static async Task<OtlpReceiver> StartAsync(bool grpc)
    {
        var receiver = new OtlpReceiver(grpc);
        await receiver._app.StartAsync(TestContext.Current.CancellationToken);
        receiver.Address = receiver._app.Urls.Single() + (grpc ? string.Empty : "/base");
        return receiver;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static async Task KeepAsync(HttpContext context, ConcurrentQueue<WireMessage> kept)
    {
        Assert.Equal("application/x-protobuf", context.Request.ContentType);
        kept.Enqueue(new WireMessage(await ReadAsync(context)));
    }

    private static async Task KeepGrpcAsync(HttpContext context, ConcurrentQueue<WireMessage> kept)
    {
        var frame = await ReadAsync(context);
        Assert.Equal(0, frame[0]);
        kept.Enqueue(new WireMessage(frame.AsSpan(FramePrefix)));
        context.Response.ContentType = "application/grpc";
        context.Response.AppendTrailer("grpc-status", "0");
        await context.Response.Body.WriteAsync(new byte[FramePrefix]);
    }

    private static async Task<byte[]> ReadAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        return body.ToArray();
    }
}
