namespace Fpn.Service.Model;

/// <summary>A model that is served.</summary>
/// <param name="detector">Loaded and tried; owned.</param>
internal sealed class ModelEntry(IDetector detector) : IDisposable
{
    /// <summary>What the model promises.</summary>
    public ModelContract Contract => Detector.Contract;

    /// <summary>Runs it.</summary>
    public IDetector Detector { get; } = detector;

    /// <inheritdoc/>
    public void Dispose() => Detector.Dispose();
}
