using Fpn.Models;
using Fpn.Models.Packages;
using Fpn.Serving.Requests;

namespace Fpn.Serving;

/// <summary>Detects objects for any number of callers: their images share batches on one device.</summary>
/// <remarks>
/// Thread-safe. Registered by <see cref="FpnDetectionRegistration.AddFpnDetection"/>. The host loads and warms the
/// models when it starts; when it stops, it answers requests that still wait as
/// <see cref="FailureKind.ShuttingDown"/>.
/// </remarks>
#pragma warning disable CA1711 // It is a queue, though not a collection.
public interface IDetectionQueue
#pragma warning restore CA1711
{
    /// <summary>The models that are served now, each with its newest version: the default model first, then by name.
    /// Empty before the host has started.</summary>
    IReadOnlyList<ModelDescription> Models { get; }

    /// <summary>Detects the objects in one image.</summary>
    /// <param name="request">The image file, the model, and how urgent it is. Before the host has started, it waits
    /// until the models are loaded.</param>
    /// <returns>The detections, or an expected failure: a bad image, an unknown model, a full queue, a deadline that
    /// passed, a model or device that failed, the end of the process.</returns>
    /// <exception cref="OperationCanceledException"><see cref="DetectionRequest.Cancellation"/> was
    /// cancelled.</exception>
    Task<Result<DetectionResult>> DetectAsync(DetectionRequest request);

    /// <summary>Loads a model from the folder of models, or loads it again after it has changed. It takes over when it
    /// is warm; until then the version before answers.</summary>
    /// <param name="model">Name of the model's folder: of a package, or of version folders.</param>
    /// <exception cref="ModelPackageException">It cannot be loaded; the version that was served before
    /// stays.</exception>
    Task LoadAsync(string model);
}
