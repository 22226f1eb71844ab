namespace Fpn.Service.Tests.Observability;

/// <summary>A span as it was sent.</summary>
/// <param name="message">Field numbers are those of opentelemetry/proto/trace/v1/trace.proto.</param>
internal sealed class SentSpan(WireMessage message)
{
    public string TraceId { get; } = message.Hex(1);

    public string Id { get; } = message.Hex(2);

    public string ParentId { get; } = message.Hex(4);

    public string Name { get; } = message.Text(5);

    /// <summary>1 is internal, 2 a server's.</summary>
    public int Kind { get; } = message.Number(6);

    /// <summary>Nanoseconds since 1970.</summary>
    public ulong Start { get; } = message.Fixed64(7);

    /// <inheritdoc cref="Start"/>
    public ulong End { get; } = message.Fixed64(8);

    public IReadOnlyDictionary<string, string> Attributes { get; } =
        message.Messages(9).ToDictionary(
            attribute => attribute.Text(1), attribute => attribute.Messages(2).Single().Text(1));

    public IReadOnlyList<(string TraceId, string Id)> Links { get; } =
        [.. message.Messages(13).Select(link => (link.Hex(1), link.Hex(2)))];

    /// <summary>2 is an error.</summary>
    public int Status { get; } = message.Messages(15).SingleOrDefault()?.Number(3) ?? 0;

    /// <summary>All spans of ExportTraceServiceRequests.</summary>
    public static SentSpan[] All(IEnumerable<WireMessage> requests) =>
    [
        .. requests
            .SelectMany(request => request.Messages(1))
            .SelectMany(resource => resource.Messages(2))
            .SelectMany(scope => scope.Messages(2))
            .Select(span => new SentSpan(span)),
    ];
}
