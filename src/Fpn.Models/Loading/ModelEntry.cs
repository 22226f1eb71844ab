using Fpn.Detection.Geometry;
using Fpn.Detection.Views;
using Fpn.Imaging.Pixels;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Packages;

namespace Fpn.Models.Loading;

/// <summary>A model that is served.</summary>
/// <remarks>
/// Thread-safe, except <see cref="WarmUp"/>, which its owner calls before others use it. Sessions that are given up are
/// freed when the last run on them has ended.
/// </remarks>
internal sealed class ModelEntry : IDisposable
{
    private readonly Func<IDetector> _load;
    private readonly Func<ImageSize, int?, ImageGeometry> _measure;
    private readonly Lock _gate = new();
    private readonly Lock _reloading = new();
    private FixedShapes? _shapes;
    private Loaded? _loaded;
    private bool _disposed;
    private int _losses;

    /// <summary>Loads the model.</summary>
    /// <param name="load">Loads and tries it; called again after the device was lost.</param>
    public ModelEntry(Func<IDetector> load)
    {
        _load = load;
        var detector = load();
        _loaded = new Loaded(detector);
        Contract = detector.Contract;
        _measure = detector.Measure;
    }

    /// <summary>What the model promises.</summary>
    public ModelContract Contract { get; }

    /// <summary>Whether it runs in a few shapes only, all of which were tried.</summary>
    public bool HasFixedShapes => _shapes is not null;

    /// <summary>Whether the device was lost and the model is not loaded again yet.</summary>
    public bool IsLost => Volatile.Read(ref _loaded) is null;

    /// <summary>How often the device has failed: once for all batches that meet the same failure.</summary>
    public int Losses => Volatile.Read(ref _losses);

    /// <summary>The message while a model's device is lost.</summary>
    public static string LostDetail(string model) => $"The device of model '{model}' was lost.";

    /// <summary>Runs the model; runs go through <see cref="Infer"/>.</summary>
    /// <exception cref="DeviceLostException">The device was lost and the model is not loaded again yet.</exception>
    public IDetector Detector => Volatile.Read(ref _loaded)?.Detector ?? throw Lost();

    /// <summary>
    /// Shapes that were first seen after the warm-up, by graph; 0 where they are not fixed, empty while it is lost.
    /// </summary>
    public IReadOnlyDictionary<string, long> UnwarmedShapes =>
        Volatile.Read(ref _loaded)?.Detector.UnwarmedShapes ?? new Dictionary<string, long>();

    /// <summary>Measures a view of an image for the model; works while the device is lost, too.</summary>
    public ImageGeometry Measure(in View view) => _measure(view.Region.Size, view.MinSize);

    /// <summary>Measures an image as the model itself asks for it; works while the device is lost, too.</summary>
    public MeasuredImage Measure(DecodedImage image)
    {
        var view = new View(image.Size);
        return new MeasuredImage(image, view, Measure(view));
    }

    /// <summary>Fixes the shapes and runs all of them once, now and whenever the model is loaded again.</summary>
    /// <inheritdoc cref="IDetector.WarmUp"/>
    public void WarmUp(FixedShapes shapes, Action<int> progress)
    {
        _shapes = shapes;
        Detector.WarmUp(shapes, progress);
    }

    /// <summary>Runs a batch. Blocks. A device that is lost is given up before the next batch can use it.</summary>
    /// <inheritdoc cref="IDetector.Infer"/>
    /// <exception cref="DeviceLostException">The device was lost, now or before.</exception>
    public InferredBatch Infer(PreparedBatch batch)
    {
        Loaded loaded;
        lock (_gate)
        {
            loaded = _loaded ?? throw Lost();
            loaded.Runs++;
        }

        try
        {
            return loaded.Detector.Infer(batch);
        }
        catch (DeviceLostException)
        {
            GiveUp(loaded, losses: 1);
            throw;
        }
        finally
        {
            End(loaded);
        }
    }

    /// <summary>Loads the model again, if it is lost and still served. Blocks.</summary>
    /// <returns>Why that failed, or null.</returns>
    public Exception? TryReload()
    {
        // A lost device fails the batches of all streams: loaded side by side, the model would need twice its memory.
        lock (_reloading)
        {
            return TryReloadAlone();
        }
    }

    private Exception? TryReloadAlone()
    {
        lock (_gate)
        {
            if (_loaded is not null || _disposed)
            {
                return null;
            }
        }

        IDetector? detector = null;
        try
        {
            detector = _load();
            if (_shapes is not null)
            {
                detector.WarmUp(_shapes, _ => { });
            }
        }
#pragma warning disable CA1031 // After any failure the model stays lost until the next try, and the caller logs it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            detector?.Dispose();
            return exception;
        }

        lock (_gate)
        {
            // The model may have gone meanwhile.
            if (!_disposed)
            {
                _loaded = new Loaded(detector);
                return null;
            }
        }

        detector.Dispose();
        return null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Loaded? last;
        lock (_gate)
        {
            _disposed = true;
            last = _loaded;
        }

        if (last is not null)
        {
            GiveUp(last, losses: 0);
        }
    }

    private DeviceLostException Lost() => new(LostDetail(Contract.Name));

    /// <summary>Takes sessions out of use; another stream may have done so, or be running on them.</summary>
    /// <param name="loaded">The sessions.</param>
    /// <param name="losses">Failures of the device to count, unless another stream has given them up already.</param>
    private void GiveUp(Loaded loaded, int losses)
    {
        lock (_gate)
        {
            if (_loaded != loaded)
            {
                return;
            }

            _loaded = null;
            _losses += losses;
            loaded.Runs++;
        }

        End(loaded);
    }

    private void End(Loaded loaded)
    {
        lock (_gate)
        {
            loaded.Runs--;
            if (loaded.Runs > 0 || _loaded == loaded)
            {
                return;
            }
        }

        loaded.Detector.Dispose();
    }

    /// <summary>Sessions, and how many runs they have to outlive.</summary>
    private sealed class Loaded(IDetector detector)
    {
        public IDetector Detector { get; } = detector;

        public int Runs { get; set; }
    }
}
