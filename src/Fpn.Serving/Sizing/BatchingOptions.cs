using System.ComponentModel.DataAnnotations;

namespace Fpn.Serving.Sizing;

/// <summary>Whether the graphs run in a few shapes only.</summary>
public enum FixedShapesSetting
{
    /// <summary>On a GPU.</summary>
    Auto,

    /// <summary>Always.</summary>
    On,

    /// <summary>Never.</summary>
    Off,
}

/// <summary>How requests share the device (<c>Fpn:Batching</c>).</summary>
public sealed class BatchingOptions
{
    /// <summary>Images of a model that may wait, those being decoded included; one more is refused. Default 256; 1 to
    /// 100,000.</summary>
    [Range(1, 100_000, ErrorMessage = "{0} must be from {1} to {2} images")]
    public int QueueCapacity { get; set; } = 256;

    /// <summary>How long an image may wait for others while the device is free. Default 0: it does not wait.</summary>
    public TimeSpan MaxQueueDelay { get; set; }

    /// <summary>How long a request may take from its last byte to its answer. Default 30 s; a request's own timeout
    /// shortens it.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "1.00:00:00", ErrorMessage = "{0} must be from {1} to {2}")]
    public TimeSpan Deadline { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Images in a batch at most. Default 0: measured at start, see <see cref="TuningBudget"/>; 1 to 256 fixes
    /// it.</summary>
    [Range(0, 256, ErrorMessage = "{0} must be from 1 to {2} images, or 0 to measure it at start")]
    public int MaxBatchSize { get; set; }

    /// <summary>Time that measuring the best batch size may take for each model at start. Default 2 s.</summary>
    public TimeSpan TuningBudget { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Sizes that batches are padded to: <c>off</c> (images batch with those of exactly their own padded size),
    /// <c>derived</c> (a few sizes that follow from the model's input rule), <c>auto</c> (default: derived where shapes
    /// are fixed, else off), or a list such as <c>800x1088,1088x800</c> (height x width). Images that fit no listed
    /// size keep their own.
    /// </summary>
    [Required(ErrorMessage = "{0} must be auto, off, derived, or a list of sizes")]
    public string Buckets { get; set; } = "auto";

    /// <summary>
    /// Whether the graphs run in a few shapes only, all of which are tried before the service is ready: batches are
    /// filled up to one of a few sizes, and so are RoIs. Default <c>auto</c>: on a GPU with buckets, where a new shape
    /// costs a search for algorithms; not on a CPU, where it costs nothing and filling up does.
    /// </summary>
    public FixedShapesSetting FixedShapes { get; set; } = FixedShapesSetting.Auto;
}
