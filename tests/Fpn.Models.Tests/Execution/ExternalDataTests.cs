using Fpn.Models.Execution.Sessions;
using Fpn.Models.Packages;
using Fpn.Testing.Packages;
using Fpn.Tool.Commands;

namespace Fpn.Models.Tests.Execution;

/// <summary>Graphs whose weights lie in another file, as newer exporters write them.</summary>
public sealed class ExternalDataTests
{
    /// <summary>Where a graph may keep numbers.</summary>
    public static TheoryData<string> Places => ["initializer", "attribute", "nested graph"];

    [Theory]
    [MemberData(nameof(Places))]
    public void RequireNone_WeightsElsewhere_NamesBothFiles(string place)
    {
        const string File = "/models/pets/head.onnx";
        var graph = Graph(place).ToBytes();
        var message = Assert.Throws<ModelPackageException>(() => ExternalData.RequireNone(File, graph)).Message;
        Assert.StartsWith(
            $"{File}: its weights lie in another file, 'head.onnx.data', ", message, StringComparison.Ordinal);
        Assert.EndsWith("onnx.save(onnx.load(\"head.onnx\"), \"one.onnx\").", message, StringComparison.Ordinal);
    }

    [Fact]
    public void RequireNone_WeightsInside_AreFine()
    {
        ExternalData.RequireNone("backbone.onnx", File.ReadAllBytes(ModelFolder.OriginalFile("backbone.onnx")));
        ExternalData.RequireNone("none.onnx", "not a graph"u8);
        ExternalData.RequireNone("none.onnx", []);
    }

    /// <summary>Also where the other file is there, beside the graph.</summary>
    [Fact]
    public async Task Load_WeightsElsewhere_IsRefused()
    {
        using var models = new ModelFolder();
        var graph = new TinyOnnx().ExternalWeights("weights", "head.onnx.data", 0, 4);
        var package = models.Add(graphs: ("head", graph.ToBytes()));
        await File.WriteAllBytesAsync(
            Path.Combine(package, "head.onnx.data"), new byte[16], TestContext.Current.CancellationToken);
        using var output = new StringWriter();
        using var errors = new StringWriter();
        Assert.Equal(1, await InspectCommand.RunAsync(CommandProgram.Tool, [package], output, errors));
        Assert.Contains(
            "head.onnx: its weights lie in another file, 'head.onnx.data'",
            errors.ToString(),
            StringComparison.Ordinal);
    }

    private static TinyOnnx Graph(string place)
    {
        const string Elsewhere = "head.onnx.data";
        var graph = new TinyOnnx().Weights("inside", [1f, 2f], 2);
        return place switch
        {
            "initializer" => graph.ExternalWeights("weights", Elsewhere, 0, 4),
            "attribute" => graph.Node(
                "Constant", "", "weights", ("value", TinyOnnx.ExternalTensor("", Elsewhere, 0, 4))),
            _ => graph.Node(
                "If",
                "condition",
                "result",
                ("then_branch", new TinyOnnx().ExternalWeights("weights", Elsewhere, 0, 4))),
        };
    }
}
