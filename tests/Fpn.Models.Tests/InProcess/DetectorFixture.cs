using Fpn.Testing.Running;

namespace Fpn.Models.Tests.InProcess;

/// <summary>The committed models, each loaded when it is first asked for.</summary>
public sealed class DetectorFixture : IDisposable
{
    private readonly Dictionary<string, Detector> _detectors = [];

    /// <summary>Loads blood-cells with options of its own; the caller disposes it.</summary>
    internal static Detector BloodCells(DetectorOptions? options = null) =>
        Detector.Load(Path.Combine(Checkout.Models, "blood-cells"), options);

    public Detector Get(string model = "blood-cells")
    {
        lock (_detectors)
        {
            if (!_detectors.TryGetValue(model, out var detector))
            {
                detector = Detector.Load(Path.Combine(Checkout.Models, model));
                _detectors.Add(model, detector);
            }

            return detector;
        }
    }

    public void Dispose()
    {
        foreach (var detector in _detectors.Values)
        {
            detector.Dispose();
        }
    }

    /// <summary>Detections as text that shows every digit.</summary>
    internal static string[] Lines(ImageDetections found) =>
    [
        .. found.Objects.Select(item =>
            $"{item.Label} {item.ClassId} {item.Score:R} "
            + $"{item.Box.X1:R} {item.Box.Y1:R} {item.Box.X2:R} {item.Box.Y2:R} {item.Level}"),
    ];
}
