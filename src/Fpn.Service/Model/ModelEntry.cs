using Fpn.Detection.Imaging;
using Fpn.Service.Model.Execution;

namespace Fpn.Service.Model;

/// <summary>A model that is served.</summary>
/// <remarks>
/// Only the thread that runs the device may call <see cref="MarkLost"/>, <see cref="TryReload"/> and, once it was
/// served, <see cref="Dispose"/>.
/// </remarks>
internal sealed class ModelEntry : IDisposable
{
    private readonly Func<IDetector> _load;
    private readonly Func<ImageSize, ImageGeometry> _measure;
    private volatile IDetector? _detector;
    private bool _disposed;

    /// <summary>Loads the model.</summary>
    /// <param name="load">Loads and tries it; called again after the device was lost.</param>
    public ModelEntry(Func<IDetector> load)
    {
        _load = load;
        _detector = load();
        Contract = _detector.Contract;
        Provider = _detector.Provider;
        _measure = _detector.Measure;
    }

    /// <summary>What the model promises.</summary>
    public ModelContract Contract { get; }

    /// <summary>What the graphs run on; known while the device is lost, too.</summary>
    public ExecutionProvider Provider { get; private set; }

    /// <summary>Whether the device was lost and the model is not loaded again yet.</summary>
    public bool IsLost => _detector is null;

    /// <summary>Runs the model.</summary>
    /// <exception cref="DeviceLostException">The device was lost and the model is not loaded again yet.</exception>
    public IDetector Detector => _detector ?? throw new DeviceLostException($"The device of model '{Contract.Name}' was lost.");

    /// <summary>The sizes that an image goes through; known while the device is lost, too.</summary>
    public ImageGeometry Measure(ImageSize original) => _measure(original);

    /// <summary>Gives up the sessions of a lost device.</summary>
    public void MarkLost()
    {
        var lost = _detector;
        _detector = null;
        lost?.Dispose();
    }

    /// <summary>Loads the model again, if it is lost and still served.</summary>
    /// <returns>Why that failed, or null.</returns>
    public Exception? TryReload()
    {
        if (_detector is not null || _disposed)
        {
            return null;
        }

        try
        {
            var detector = _load();
            Provider = detector.Provider;
            _detector = detector;
            return null;
        }
#pragma warning disable CA1031 // Whatever it is, the model stays lost until the next try, and the caller logs it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            return exception;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        MarkLost();
    }
}
