namespace Fpn.Client;

/// <summary>What is asked of one call; everything left out has the service's default.</summary>
public sealed record DetectOptions
{
    /// <summary>Name of the model; null asks the default one.</summary>
    public string? Model { get; init; }

    /// <summary>0 to 1: keeps detections with a score of at least this. Below the model's own threshold it has no
    /// effect.</summary>
    public double? ScoreThreshold { get; init; }

    /// <summary>Keeps the best ones only; at least 1.</summary>
    public int? MaxDetections { get; init; }

    /// <summary>Keeps detections of these classes, after all other filters; null or empty keeps all classes.</summary>
    public IReadOnlyCollection<string>? Labels { get; init; }

    /// <summary>Names the image in <see cref="OutputFormat.Coco"/> and <see cref="OutputFormat.Voc"/>; at least
    /// 0.</summary>
    public long? ImageId { get; init; }

    /// <summary>Asks for <see cref="DetectionResult.Explanation"/>, which two-stage models can give.</summary>
    public bool Explain { get; init; }

    /// <summary>Which looks are taken at the image; null for those of the model's package.</summary>
    public ViewOptions? Views { get; init; }

    /// <summary>Who goes first while requests wait; null leaves the key's default.</summary>
    public DetectPriority? Priority { get; init; }

    /// <summary>How long the answer is worth waiting for, from the last byte of the image on, in whole milliseconds and
    /// at least one; the service's own deadline is the upper limit. Passing it is a 504.</summary>
    public TimeSpan? Deadline { get; init; }
}

/// <summary>Who goes first while requests wait for the device.</summary>
public enum DetectPriority
{
    /// <summary>After all others.</summary>
    Low,

    /// <summary>The service's default.</summary>
    Normal,

    /// <summary>Before all others; not every key may ask for it.</summary>
    High,
}
