using Fpn.Models.Execution.Devices;
using Microsoft.ML.OnnxRuntime;

namespace Fpn.Models.TwoStage;

/// <summary>Memory that the CPU can read, for what the head gives in fixed shapes.</summary>
internal sealed class HeadBuffers : IDisposable
{
    private readonly TwoStageGraphs _graphs;
    private readonly DeviceBuffer _classLogits;
    private readonly DeviceBuffer _boxDeltas;
    private readonly Dictionary<int, (OrtValue ClassLogits, OrtValue BoxDeltas)> _views = [];

    /// <summary>Allocates for the largest number of RoIs.</summary>
    /// <param name="graphs">Their shapes must be fixed.</param>
    /// <param name="mostRois">The largest number.</param>
    /// <exception cref="ModelFailureException">There is not so much memory.</exception>
    public HeadBuffers(TwoStageGraphs graphs, int mostRois)
    {
        _graphs = graphs;
        _classLogits = graphs.Device.AllocateHost(mostRois * graphs.Contract.ClassLogits.RowBytes);
        try
        {
            _boxDeltas = graphs.Device.AllocateHost(mostRois * graphs.Contract.BoxDeltas.RowBytes);
        }
        catch
        {
            _classLogits.Dispose();
            throw;
        }
    }

    /// <summary>The tensors of so many RoIs; they stay this object's.</summary>
    public (OrtValue ClassLogits, OrtValue BoxDeltas) View(int rois)
    {
        if (!_views.TryGetValue(rois, out var views))
        {
            views = (
                _classLogits.View(_graphs.Contract.ClassLogits.Type, [rois, _graphs.Contract.ClassLogits.Columns]),
                _boxDeltas.View(_graphs.Contract.BoxDeltas.Type, [rois, _graphs.Contract.BoxDeltas.Columns]));
            _views.Add(rois, views);
        }

        return views;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (classLogits, boxDeltas) in _views.Values)
        {
            classLogits.Dispose();
            boxDeltas.Dispose();
        }

        _classLogits.Dispose();
        _boxDeltas.Dispose();
    }
}
