using System.Numerics.Tensors;
using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;
using Fpn.Models.Execution.Sessions;
using Fpn.Models.Packages;

namespace Fpn.Models.TwoStage;

/// <summary>
/// Holds what a manifest says of levels and strides against what two graphs do: both may be sound and still not belong
/// together, and then every box is wrong without an error.
/// </summary>
/// <remarks>Shape letters are those of <see cref="GraphContract"/>.</remarks>
internal static class GraphCheck
{
    private static readonly string[] LevelOutputs = ["objectness_", "deltas_"];

    /// <summary>Side of a square image on which wrong strides show.</summary>
    /// <param name="contract">The model.</param>
    /// <returns>Pixels, padded: two cells of the widest stride that the manifest names, within reason.</returns>
    public static int ProbeSide(ModelContract contract)
    {
        var divisor = contract.Input.SizeDivisor;
        var wanted = Math.Clamp(2 * contract.Anchors.Levels.Max(level => level.Stride ?? 1), 256, 1024);
        return (wanted + divisor - 1) / divisor * divisor;
    }

    /// <summary>Checks what the graphs declare, before they run.</summary>
    /// <param name="graphs">Loaded, with the inputs and outputs of the manifest's levels.</param>
    /// <exception cref="ModelPackageException">The backbone takes only some sizes, or judges levels that the manifest
    /// leaves out.</exception>
    public static void RequireDeclared(TwoStageGraphs graphs)
    {
        var channels = graphs.Contract.Pixels == PixelType.UInt8 ? 3 : 1;
        RequireFree(graphs.Backbone, GraphContract.ImagesInput, axis => axis != channels);
        foreach (var name in graphs.Contract.HeadInputs)
        {
            RequireFree(graphs.Head, name, axis => axis != 1);
        }

        var extra = graphs.Backbone.Outputs.Select(output => output.Name).FirstOrDefault(name =>
            Array.Exists(LevelOutputs, prefix => name.StartsWith(prefix, StringComparison.Ordinal))
            && !graphs.Contract.BackboneOutputs.Contains(name));
        if (extra is not null)
        {
            throw new ModelPackageException(
                $"{graphs.Backbone.Path}: output '{extra}' belongs to a level that 'levels' of model.json leaves out.");
        }
    }

    /// <summary>Checks that the graph of a one-file model takes images of any size.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="input">Its input [3, H, W] or [1, 3, H, W].</param>
    /// <exception cref="ModelPackageException">It takes one size only.</exception>
    public static void RequireFreeSize(OnnxGraph graph, string input) =>
        RequireFree(graph, input, axis => axis >= graph.Inputs.First(port => port.Name == input).Dimensions.Count - 2);

    /// <summary>Checks the order of the levels and their strides on the grids of one image.</summary>
    /// <param name="graphs">What was run.</param>
    /// <param name="side">Height and width of the image, padded.</param>
    /// <param name="shapes">Shapes of the backbone's outputs.</param>
    /// <exception cref="ModelPackageException">They are not those of the manifest.</exception>
    public static void RequireGrids(TwoStageGraphs graphs, int side, IReadOnlyList<long[]> shapes)
    {
        var (contract, file) = (graphs.Contract, graphs.Backbone.Path);
        foreach (var (feature, level) in contract.PooledLevels.Index())
        {
            var (pooled, scored) = (GridSize(shapes[feature]), GridSize(shapes[graphs.Contract.Objectness(level)]));
            if (pooled != scored)
            {
                throw new ModelPackageException(
                    $"{file}: output '{contract.BackboneOutputs[feature]}' has a grid of {pooled} cells, but "
                    + $"'{contract.BackboneOutputs[contract.Objectness(level)]}' one of {scored}: "
                    + "a level's outputs share their grid.");
            }
        }

        for (var level = 0; level < graphs.Contract.Levels.Count; level++)
        {
            var grid = GridSize(shapes[graphs.Contract.Objectness(level)]);
            if (level > 0
                && GridSize(shapes[graphs.Contract.Objectness(level - 1)]) is var finer
                && (finer.Height < grid.Height || finer.Width < grid.Width))
            {
                throw new ModelPackageException(
                    $"{file}: level '{contract.Levels[level].Name}' has a grid of {grid} cells, more "
                    + $"than the {finer} of '{contract.Levels[level - 1].Name}': "
                    + "'levels' of model.json must name the finest first.");
            }

            RequireStride(graphs, level, side, grid.Height);
            RequireStride(graphs, level, side, grid.Width);
        }

        RequirePooledRange(graphs, side, shapes);
    }

    /// <summary>
    /// Checks that the head gives its rows level by level, in the manifest's order: a RoI alone must give the row that
    /// it gives among others.
    /// </summary>
    /// <param name="graphs">What was run.</param>
    /// <param name="rois">[P, 5], one for each pooled level.</param>
    /// <param name="all">What the head gave for all of them.</param>
    /// <param name="run">Runs the head with some RoIs, so many on each pooled level; the caller disposes the
    /// result.</param>
    /// <exception cref="ModelPackageException">The rows come in another order.</exception>
    public static void RequireRowOrder(
        TwoStageGraphs graphs, float[] rois, HeadOutputs all, Func<float[], int[], HeadOutputs> run)
    {
        var pooled = graphs.Contract.PooledLevels.Count;
        var columns = all.ClassLogits.Length / pooled;
        var alone = new float[pooled][];
        for (var level = 0; level < pooled; level++)
        {
            var counts = new int[pooled];
            counts[level] = 1;

            // One value more: levels without a RoI still need an address.
            using var outputs = run([.. rois.AsSpan(5 * level, 5), 0], counts);
            alone[level] = outputs.ClassLogits.ToArray();
        }

        for (var row = 0; row < pooled; row++)
        {
            // Rows that hardly differ prove nothing; the sums of a larger batch may differ in their last bits.
            var logits = all.ClassLogits.Slice(row * columns, columns);
            var nearest = row;
            for (var level = 0; level < pooled; level++)
            {
                nearest = Distance(logits, alone[level]) < Distance(logits, alone[nearest]) ? level : nearest;
            }

            if (Distance(logits, alone[row]) > 0.01f * (1 + Math.Abs(TensorPrimitives.MaxMagnitude(logits))))
            {
                throw new ModelPackageException(
                    $"{graphs.Head.Path}: row {row} of '{GraphContract.ClassLogitsOutput}' is "
                    + (nearest == row ? "of no level" : $"that of level '{graphs.Contract.HeadInputs[nearest]}'")
                    + ", where the order of 'levels' in model.json promises that of "
                    + $"'{graphs.Contract.HeadInputs[row]}'.");
            }
        }

        static float Distance(ReadOnlySpan<float> one, ReadOnlySpan<float> other)
        {
            var furthest = 0f;
            for (var column = 0; column < one.Length; column++)
            {
                furthest = Math.Max(furthest, Math.Abs(one[column] - other[column]));
            }

            return furthest;
        }
    }

    private static void RequireFree(OnnxGraph graph, string input, Func<int, bool> mustBeFree)
    {
        var dimensions = graph.Inputs.First(port => port.Name == input).Dimensions;
        foreach (var (axis, dimension) in dimensions.Index())
        {
            if (mustBeFree(axis) && int.TryParse(dimension, out _))
            {
                throw new ModelPackageException(
                    $"{graph.Path}: input '{input}' is declared as [{string.Join(", ", dimensions)}]: "
                    + "it takes one size or number only, where any must do.");
            }
        }
    }

    private static void RequireStride(TwoStageGraphs graphs, int level, int side, int cells)
    {
        var (name, stride) = (graphs.Contract.Levels[level].Name, graphs.Contract.Levels[level].Stride);
        var actual = cells == 0 ? 0 : side / cells;
        if (stride is { } declared)
        {
            if (actual != declared && cells != (side + declared - 1) / declared)
            {
                throw new ModelPackageException(
                    $"{graphs.Backbone.Path}: level '{name}' has {cells} cells for {side} pixels, "
                    + $"a stride of {actual}, but 'anchors.strides' of model.json says {declared} "
                    + "(where it is absent, 'convention' detectron2 means 4, 8, 16 … from the first level).");
            }

            return;
        }

        // A batch's grid determines that of each of its images only where a level is made by halvings that round up.
        if (actual < 1 || cells != (side + (1 << Halvings(side, cells)) - 1) >> Halvings(side, cells))
        {
            throw new ModelPackageException(
                $"{graphs.Backbone.Path}: level '{name}' has {cells} cells for {side} pixels, "
                + "which no number of halvings gives: 'anchors.strides' of model.json must list the strides.");
        }
    }

    /// <summary>Eq. 1 spreads RoIs over as many levels as there are halvings between the first and the last.</summary>
    private static void RequirePooledRange(TwoStageGraphs graphs, int side, IReadOnlyList<long[]> shapes)
    {
        var pooled = graphs.Contract.PooledLevels.Count;
        var span = Exponent(pooled - 1) - Exponent(0) + 1;
        if (span > pooled)
        {
            throw new ModelPackageException(
                $"{graphs.Backbone.Path}: the strides of the pooled levels '{graphs.Contract.HeadInputs[0]}' to "
                + $"'{graphs.Contract.HeadInputs[pooled - 1]}' span {span} halvings, "
                + $"but 'levels' of model.json pools from {pooled}: RoIs would belong to levels that are not there.");
        }

        int Exponent(int feature) => Halvings(side, GridSize(shapes[feature]).Height);
    }

    private static int Halvings(int side, int cells) => (int)Math.Round(Math.Log2((double)side / cells));

    private static ImageSize GridSize(long[] shape) => new((int)shape[2], (int)shape[3]);
}
