using Fpn.Models.Execution.Devices;
using Microsoft.ML.OnnxRuntime;

namespace Fpn.Models.Execution.Sessions;

/// <summary>
/// One run of a graph in a shape that nothing was set apart for: its outputs are allocated by the run, on the device
/// where they are wanted there. <see cref="OnnxGraph.Run"/> is for shapes that are known.
/// </summary>
/// <remarks>
/// Inputs that lie elsewhere are copied to the device when they are bound; outputs that lie elsewhere are copied there
/// at the end of a run. What is bound must outlive the runs. One run at a time; different bindings of a graph may run
/// at the same time.
/// </remarks>
/// <param name="graph">The graph.</param>
/// <param name="session">Its session.</param>
internal sealed class GraphBinding(OnnxGraph graph, InferenceSession session) : IDisposable
{
    private readonly OrtIoBinding _binding = session.CreateIoBinding();

    /// <summary>Names the tensor that an input is read from, instead of the one before.</summary>
    /// <exception cref="DeviceLostException">The device failed while the tensor was copied there.</exception>
    public void BindInput(string name, OrtValue tensor) => Guard(() => _binding.BindInput(name, tensor));

    /// <summary>Lets each run allocate an output.</summary>
    /// <param name="name">The output.</param>
    /// <param name="memory">Where.</param>
    public void BindOutput(string name, OrtMemoryInfo memory) => Guard(() => _binding.BindOutputToDevice(name, memory));

    /// <summary>Runs the graph. Blocks until everything is written.</summary>
    /// <returns>The outputs in the order in which they were bound first; the caller disposes them.</returns>
    /// <exception cref="DeviceLostException">The device failed: the session is of no use any more.</exception>
    /// <exception cref="ModelFailureException">The graph failed.</exception>
    public IDisposableReadOnlyCollection<OrtValue> RunForResults()
    {
        IDisposableReadOnlyCollection<OrtValue>? results = null;
        Guard(() =>
        {
            // Binding copied on a stream of its own choice, which is not the one that the run takes.
            _binding.SynchronizeBoundInputs();
            results = session.RunWithBoundResults(graph.RunOptions, _binding);
        });
        return results!;
    }

    /// <inheritdoc/>
    public void Dispose() => _binding.Dispose();

    private void Guard(Action action)
    {
        try
        {
            action();
        }
        catch (OnnxRuntimeException exception)
        {
            throw OnnxGraph.Failure(Path.GetFileName(graph.Path), exception);
        }
    }
}
