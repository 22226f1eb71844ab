using Fpn.Models.Execution.Devices;
using Microsoft.ML.OnnxRuntime;

namespace Fpn.Models.TwoStage;

/// <summary>Runs the head on all RoIs of a batch: at once, as nearly always, or in several passes where a request gave
/// so many regions that one would need more memory than a batch of proposals does.</summary>
internal static class HeadStage
{
    private const int RoiValues = 5;

    /// <summary>Runs the head. Blocks.</summary>
    /// <param name="slot">The batch's place on the device.</param>
    /// <param name="pyramid">The features.</param>
    /// <param name="workspace">The RoIs, arranged; at least one.</param>
    /// <returns>Class logits and box deltas of all RoIs; the caller disposes them.</returns>
    /// <exception cref="DeviceLostException">The device failed.</exception>
    /// <exception cref="ModelFailureException">The graph failed.</exception>
    public static HeadOutputs Run(GraphSlot slot, PyramidOutputs pyramid, TwoStageWorkspace workspace)
    {
        if (workspace.RowCount <= workspace.RowsPerPass)
        {
            return slot.RunHead(pyramid, workspace.Rois, workspace.RoisPerLevel, workspace.HeadBuffers);
        }

        float[]? classLogits = null;
        float[]? boxDeltas = null;
        var counts = new int[workspace.RoisPerLevel.Length];
        for (var from = 0; from < workspace.RowCount; from += workspace.RowsPerPass)
        {
            var rows = Math.Min(workspace.RowsPerPass, workspace.RowCount - from);
            CountPerLevel(workspace.RoisPerLevel, from, rows, counts);
            using var pass = slot.RunHead(pyramid, workspace.Rois[(from * RoiValues)..], counts, workspace.HeadBuffers);
            classLogits = Append(classLogits, pass.ClassLogits, from, rows, workspace.RowCount);
            boxDeltas = Append(boxDeltas, pass.BoxDeltas, from, rows, workspace.RowCount);
        }

        var tensors = new Tensors(View(classLogits!, workspace.RowCount), View(boxDeltas!, workspace.RowCount));
        return new HeadOutputs(tensors.ClassLogits, tensors.BoxDeltas, tensors);
    }

    /// <summary>Counts the rows of each level among some of all rows, which lie level by level.</summary>
    private static void CountPerLevel(ReadOnlySpan<int> all, int from, int rows, Span<int> counts)
    {
        var start = 0;
        for (var level = 0; level < all.Length; level++)
        {
            var end = start + all[level];
            counts[level] = Math.Max(0, Math.Min(end, from + rows) - Math.Max(start, from));
            start = end;
        }
    }

    private static float[] Append(float[]? all, ReadOnlySpan<float> pass, int from, int rows, int allRows)
    {
        var columns = pass.Length / rows;
        all ??= GC.AllocateUninitializedArray<float>(allRows * columns);
        pass.CopyTo(all.AsSpan(from * columns));
        return all;
    }

    private static OrtValue View(float[] values, int rows) =>
        OrtValue.CreateTensorValueFromMemory(values, [rows, values.Length / rows]);

    /// <summary>Tensors that are freed together.</summary>
    private sealed record Tensors(OrtValue ClassLogits, OrtValue BoxDeltas) : IDisposable
    {
        public void Dispose()
        {
            ClassLogits.Dispose();
            BoxDeltas.Dispose();
        }
    }
}
