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
        var table = result.AddTable(
            "", "package", "variant", "graph", "nodes", "fell back to the CPU", "load, s", "in words");
        foreach (var variant in bench.Timed.Where(variant => !variant.FusesConvBias))
        {
            if (bench.Stop(result))
            {
                break;
            }

            using var loaded = bench.Open(variant);
            loaded.KeepTimes(result);
            foreach (var graph in loaded.Detector.Graphs)
            {
                var (file, placement) = (Path.GetFileName(graph.Path), graph.Placement);
                result.Keep($"{variant.Key}.{file}.nodes", placement.Nodes.Count);
                result.Keep($"{variant.Key}.{file}.fellBack", placement.FallenBack.Count);
                table.Add(
                    variant.Contract.Name, variant.Name, file, placement.Nodes.Count, placement.FallenBack.Count,
                    loaded.LoadSeconds, placement.Describe(file).Text);
            }
        }

        return Task.CompletedTask;
    }
}
