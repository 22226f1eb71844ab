namespace Fpn.Serving.Requests;

/// <summary>The parts of a request's time, in the order in which they come, but for <see cref="Queue"/>.</summary>
internal enum DetectionStage
{
    /// <summary>Bytes to pixels.</summary>
    Decode,

    /// <summary>Waiting: for memory, a decoder, a batch, the device.</summary>
    Queue,

    /// <summary>Resizing and normalizing the batch.</summary>
    Preprocess,

    /// <summary>The backbone's graph, or the only one.</summary>
    Backbone,

    /// <summary>Choice of proposals for the whole batch.</summary>
    Proposals,

    /// <summary>The head's graph.</summary>
    Head,

    /// <summary>Choice of the image's detections.</summary>
    Postprocess,
}

/// <summary>The stages by name.</summary>
internal static class DetectionStages
{
    /// <summary>Their names in metrics and traces, in the order of the enumeration.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. Enum.GetNames<DetectionStage>().Select(name => name.ToLowerInvariant())];
}
