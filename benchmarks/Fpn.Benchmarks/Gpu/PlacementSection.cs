namespace Fpn.Benchmarks.Gpu;

/// <summary>What runs each node: one that falls back to the CPU explains many a time that follows.</summary>
internal sealed class PlacementSection : ISection
{
    /// <inheritdoc/>
    public string Name => "placement";

    /// <inheritdoc/>
    public string Title => "What runs the nodes";

    /// <inheritdoc/>
    public Task RunAsync(Bench bench, SectionResult result)
    {
        var table = result.AddTable("", "package", "graph", "nodes", "fell back to the CPU", "in words");
        foreach (var variant in bench.Variants.DistinctBy(variant => variant.Contract.Name))
        {
            if (bench.Stop(result))
            {
                break;
            }

            using var detector = bench.Open(variant);
            foreach (var graph in detector.Graphs)
            {
                var (file, placement) = (Path.GetFileName(graph.Path), graph.Placement);
                result.Keep($"{variant.Contract.Name}.{file}.fellBack", placement.FallenBack.Count);
                var words = placement.Describe(file).Text;
                table.Add(variant.Contract.Name, file, placement.Nodes.Count, placement.FallenBack.Count, words);
            }
        }

        return Task.CompletedTask;
    }
}
