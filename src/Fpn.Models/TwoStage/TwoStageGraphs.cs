using Fpn.Detection.Geometry;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Execution.Sessions;
using Fpn.Models.Packages;
using Microsoft.ML.OnnxRuntime;

namespace Fpn.Models.TwoStage;

/// <summary>The sessions of a two-stage model: one for each graph, and one more for each fixed shape that asks for
/// it.</summary>
internal sealed class TwoStageGraphs : IDisposable
{
    private readonly GraphFile _backboneFile;
    private readonly Dictionary<(ImageSize Bucket, int Images), OnnxGraph> _ownBackbones = [];

    /// <summary>Loads both graphs, checks their names, and runs them once to check their shapes.</summary>
    /// <param name="contract">What the graphs must fit.</param>
    /// <param name="device">What they run on.</param>
    /// <exception cref="ModelPackageException">A graph cannot be loaded or does not fit the manifest.</exception>
    public TwoStageGraphs(ModelContract contract, ExecutionDevice device)
    {
        _backboneFile = contract.Files["backbone"];
        Device = device;
        Backbone = OnnxGraph.Load(_backboneFile, device);
        try
        {
            Head = OnnxGraph.Load(contract.Files["head"], device);
            Contract = GraphContract.Read(contract, Backbone, Head);
            Contract = GraphProbe.Run(this, contract);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Names, types, columns and strides of both graphs.</summary>
    public GraphContract Contract { get; }

    /// <summary>Images to features, objectness and deltas.</summary>
    public OnnxGraph Backbone { get; }

    /// <summary>Features and RoIs to class logits and box deltas.</summary>
    public OnnxGraph Head { get; }

    /// <summary>What they run on.</summary>
    public ExecutionDevice Device { get; }

    /// <summary>The shapes to run in; null where every batch has its own.</summary>
    public ShapePlan? Plan { get; private set; }

    /// <summary>Shapes that the backbone has run in.</summary>
    public ShapeLog BackboneShapes { get; } = new();

    /// <summary>Shapes that the head has run in: numbers of RoIs.</summary>
    public ShapeLog HeadShapes { get; } = new();

    /// <summary>
    /// The memory that an output of the backbone is written to: features on the device, the rest where the CPU
    /// reads it.
    /// </summary>
    public OrtMemoryInfo OutputMemory(int output) =>
        Contract.IsFeature(output) ? Device.Memory : OrtMemoryInfo.DefaultInstance;

    /// <summary>
    /// Learns the shapes of the backbone's outputs, and loads the sessions that the shapes ask for; slots made
    /// afterwards have memory for the largest batch. To be called before the first slot is made.
    /// </summary>
    /// <exception cref="ModelFailureException">The device has no room for the sessions.</exception>
    public void Fix(FixedShapes shapes)
    {
        Plan = null;
        DisposeOwnBackbones();
        var plan = ShapePlan.Learn(this, shapes);
        foreach (var bucket in shapes.SessionPerShape ? shapes.Buckets : [])
        {
            foreach (var images in shapes.BatchSizes)
            {
                _ownBackbones.Add((bucket, images), LoadBackboneAgain());
            }
        }

        Plan = plan;
    }

    /// <summary>The session that runs the backbone in a shape.</summary>
    public OnnxGraph BackboneFor(ImageSize bucket, int images) =>
        _ownBackbones.GetValueOrDefault((bucket, images), Backbone);

    /// <inheritdoc/>
    public void Dispose()
    {
        DisposeOwnBackbones();
        Backbone.Dispose();
        Head?.Dispose();
    }

    /// <summary>Loads another session of the backbone.</summary>
    /// <exception cref="ModelFailureException">The device has no room for it: fewer shapes would fit.</exception>
    private OnnxGraph LoadBackboneAgain()
    {
        try
        {
            return OnnxGraph.Load(_backboneFile, Device);
        }
        catch (ModelPackageException exception) when (exception.InnerException is OnnxRuntimeException)
        {
            // It could be loaded before, so nothing is wrong with the file.
            throw new ModelFailureException(exception.Message, exception);
        }
    }

    private void DisposeOwnBackbones()
    {
        foreach (var backbone in _ownBackbones.Values)
        {
            backbone.Dispose();
        }

        _ownBackbones.Clear();
    }
}
