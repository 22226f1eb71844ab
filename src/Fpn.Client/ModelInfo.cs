namespace Fpn.Client;

/// <summary>A model that is served.</summary>
public sealed record ModelInfo
{
    /// <summary>Its name: a value for <see cref="DetectOptions.Model"/>.</summary>
    public required string Name { get; init; }

    /// <summary>Its version.</summary>
    public required string Version { get; init; }

    /// <summary>Whether it answers requests that name no model.</summary>
    public required bool IsDefault { get; init; }

    /// <summary>How the package is built, such as <c>two-stage</c> or <c>end-to-end</c>.</summary>
    public required string Layout { get; init; }

    /// <summary>Whose arithmetic it was trained with, such as <c>torchvision</c> or <c>detectron2</c>.</summary>
    public required string Convention { get; init; }

    /// <summary>One sentence.</summary>
    public string? Description { get; init; }

    /// <summary>License of the weights.</summary>
    public string? License { get; init; }

    /// <summary>Where they come from.</summary>
    public string? Source { get; init; }

    /// <summary>How images are resized.</summary>
    public required ModelInput Input { get; init; }

    /// <summary>Detections with a lower score are never returned.</summary>
    public required double ScoreThreshold { get; init; }

    /// <summary>Detections in an image, at most.</summary>
    public required int MaxDetections { get; init; }

    /// <summary>What it finds, in the order of the model's labels.</summary>
    public required IReadOnlyList<ModelClass> Classes { get; init; }

    /// <summary>What it runs on.</summary>
    public required ModelExecution Execution { get; init; }

    /// <summary>How requests share the device.</summary>
    public required ModelBatching Batching { get; init; }
}

/// <summary>How images are resized before they are fed.</summary>
public sealed record ModelInput
{
    /// <summary>The shorter side afterwards, in pixels, unless the longer one forbids it.</summary>
    public required int MinSize { get; init; }

    /// <summary>The longer side afterwards at most, in pixels.</summary>
    public required int MaxSize { get; init; }
}

/// <summary>A class that a model knows.</summary>
public sealed record ModelClass
{
    /// <summary>Its name: a value for <see cref="DetectOptions.Labels"/>.</summary>
    public required string Label { get; init; }

    /// <summary>Its number.</summary>
    public required int ClassId { get; init; }
}

/// <summary>What a model runs on.</summary>
public sealed record ModelExecution
{
    /// <summary>Such as <c>cpu</c> or <c>cuda</c>.</summary>
    public required string Provider { get; init; }

    /// <summary>The processor or GPU.</summary>
    public required string Device { get; init; }

    /// <summary>Why this one.</summary>
    public required string Reason { get; init; }
}

/// <summary>How requests for a model share the device.</summary>
public sealed record ModelBatching
{
    /// <summary>Images in a batch, at most.</summary>
    public required int MaxBatchSize { get; init; }

    /// <summary>Sizes that batches are padded to, height x width in pixels; empty when every image keeps its
    /// own.</summary>
    public required IReadOnlyList<string> Buckets { get; init; }

    /// <summary>Whether batches are filled up to a few sizes, all of which were tried at start.</summary>
    public required bool FixedShapes { get; init; }

    /// <summary>What was measured at start; empty when the batch size was set.</summary>
    public required IReadOnlyList<BatchTiming> Curve { get; init; }
}

/// <summary>One measured batch size.</summary>
public sealed record BatchTiming
{
    /// <summary>Images in a batch.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Throughput of the graphs with it.</summary>
    public required double ImagesPerSecond { get; init; }
}
