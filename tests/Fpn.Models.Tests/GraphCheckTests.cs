using Fpn.Testing.Packages;
using Fpn.Tool.Commands;

namespace Fpn.Models.Tests;

/// <summary>Manifests that contradict their graphs: everything would run, and every box would be wrong.</summary>
public sealed class GraphCheckTests : IDisposable
{
    private const string Detectron2 = """
        "convention": "detectron2", "detection": { "background": "first", "boxDeltas": "per-class-with-background" },
        """;

    private const string SaysOtherwise = "but 'anchors.strides' of model.json says ";

    private readonly string _folder = Directory.CreateTempSubdirectory("fpn-tiny-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Load_ManifestThatFits_IsLoaded() => await AssertLoadsAsync(new TinyPackage());

    [Fact]
    public async Task Load_Detectron2WithTheGraphsStrides_IsLoaded() => await AssertLoadsAsync(
        new TinyPackage { Manifest = Detectron2 + """ "anchors": { "strides": [8, 16, 32, 64] }, """ });

    [Fact]
    public async Task Load_Detectron2FromP3WithoutStrides_IsRefused() => await AssertRefusedAsync(
        new TinyPackage { Manifest = Detectron2 },
        "level 'p3' has 32 cells for 256 pixels, a stride of 8, " + SaysOtherwise + "4");

    [Theory]
    [InlineData("8, 16, 32, 32", "level 'p6' has 4 cells for 256 pixels, a stride of 64, " + SaysOtherwise + "32")]
    [InlineData("8, 16, 32, 512", "level 'p6' has 16 cells for 1024 pixels, a stride of 64, " + SaysOtherwise + "512")]
    [InlineData("16, 8, 32, 64", "level 'p3' has 32 cells for 256 pixels, a stride of 8, " + SaysOtherwise + "16")]
    public async Task Load_WrongStrides_IsRefused(string strides, string reason) => await AssertRefusedAsync(
        new TinyPackage { Manifest = $$""" "anchors": { "strides": [{{strides}}] }, """ }, reason);

    /// <summary>Two wide strides whose grids are the same on a small picture.</summary>
    [Fact]
    public async Task Load_StrideThatShowsOnALargePictureOnly_IsRefused() => await AssertRefusedAsync(
        new TinyPackage
        {
            Levels = [("p3", 8), ("p8", 256)],
            Unpooled = ["p8"],
            Manifest = """ "anchors": { "strides": [8, 512] }, """,
        },
        "level 'p8' has 4 cells for 1024 pixels, a stride of 256, " + SaysOtherwise + "512");

    [Theory]
    [InlineData("p4", "p3", "p5", "-p6", "level 'p3' has a grid of 32x32 cells, more than the 16x16 of 'p4'")]
    [InlineData("-p6", "p5", "p4", "p3", "level 'p5' has a grid of 8x8 cells, more than the 4x4 of 'p6'")]
    public async Task Load_LevelsInAnotherOrder_IsRefused(
        string first, string second, string third, string fourth, string reason) => await AssertRefusedAsync(
            new TinyPackage { ManifestLevels = TinyPackage.Entries(first, second, third, fourth) }, reason);

    /// <summary>MobileNetV3's two maps of stride 32: their grids are the same, but the order of the head's rows
    /// is not.</summary>
    [Fact]
    public async Task Load_LevelsOfOneStrideSwapped_IsRefused()
    {
        var mobile = new TinyPackage { Levels = [("m0", 32), ("m1", 32), ("pool", 64)], Unpooled = ["pool"] };
        await AssertLoadsAsync(mobile);
        await AssertRefusedAsync(
            mobile with { ManifestLevels = TinyPackage.Entries("m1", "m0", "-pool") },
            "row 0 of 'class_logits' is that of level 'm0', where the order of 'levels' in model.json promises that of "
            + "'m1'");
    }

    [Fact]
    public async Task Load_HeadWithRowsInAnotherOrder_IsRefused() => await AssertRefusedAsync(
        new TinyPackage { RowOrder = ["p3", "p5", "p4"] },
        "row 1 of 'class_logits' is that of level 'p5', where the order of 'levels' in model.json promises that of "
        + "'p4'");

    [Fact]
    public async Task Load_LevelLeftOut_IsRefused() => await AssertRefusedAsync(
        new TinyPackage { ManifestLevels = TinyPackage.Entries("p3", "p4", "p5") },
        "output 'objectness_p6' belongs to a level that 'levels' of model.json leaves out");

    [Fact]
    public async Task Load_PooledLevelSaidNotToBe_IsRefused() => await AssertRefusedAsync(
        new TinyPackage { ManifestLevels = TinyPackage.Entries("p3", "p4", "-p5", "-p6") },
        "input 'p5' is not part of the layout");

    [Fact]
    public async Task Load_PooledLevelsWithAGap_IsRefused() => await AssertRefusedAsync(
        new TinyPackage { Levels = [("p2", 4), ("p5", 32)], Unpooled = [] },
        "the strides of the pooled levels 'p2' to 'p5' span 4 halvings, but 'levels' of model.json pools from 2");

    [Fact]
    public async Task Load_StrideThatHalvingsDoNotGive_MustBeListed()
    {
        var patches = new TinyPackage { Levels = [("p4", 14)], Unpooled = [] };
        await AssertRefusedAsync(patches, "'anchors.strides' of model.json must list the strides");
        await AssertLoadsAsync(patches with { Manifest = """ "anchors": { "strides": [14] }, """ });
    }

    [Theory]
    [InlineData("1", "3", "H", "W")]
    [InlineData("N", "3", "256", "256")]
    public async Task Load_GraphOfOneSize_IsRefused(params string[] dimensions) => await AssertRefusedAsync(
        new TinyPackage { Images = dimensions },
        $"input 'images' is declared as [{string.Join(", ", dimensions)}]: it takes one size or number only, "
        + "where any must do");

    [Theory]
    [InlineData("3", "480", "640")]
    [InlineData("3", "H", "640")]
    public async Task Load_OneFileGraphOfOneSize_IsRefused(params string[] dimensions)
    {
        var graph = new TinyOnnx()
            .Input("image", TinyOnnx.Element.Float, dimensions)
            .Weights("fixed", [1f, 2f, 3f, 4f], 1, 4)
            .Node("Identity", "fixed", "boxes")
            .Output("boxes", TinyOnnx.Element.Float, "M", "4").ToBytes();
        var package = Directory.CreateDirectory(Path.Combine(_folder, "whole")).FullName;
        var cancel = TestContext.Current.CancellationToken;
        await File.WriteAllBytesAsync(Path.Combine(package, "model.onnx"), graph, cancel);
        await File.WriteAllTextAsync(
            Path.Combine(package, "model.json"),
            $$"""
            {
              "name": "whole", "version": "1", "layout": "end-to-end", "labels": ["thing"],
              "files": { "model": { "path": "model.onnx", "sha256": "{{ModelFolder.Sha256(graph)}}" } },
              "input": { "minSize": 480, "maxSize": 640 }
            }
            """,
            cancel);
        using var output = new StringWriter();
        using var errors = new StringWriter();
        Assert.Equal(1, await InspectCommand.RunAsync(CommandProgram.Tool, [package], output, errors));
        Assert.Contains(
            $"input 'image' is declared as [{string.Join(", ", dimensions)}]: it takes one size",
            errors.ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_AnchorsPerCell_AreComparedWithTheGraph() => await AssertRefusedAsync(
        new TinyPackage
        {
            ManifestLevels = TinyPackage.Entries("p3").Replace("[32]", "[32, 64]", StringComparison.Ordinal),
            Levels = [("p3", 8)],
            Unpooled = [],
        },
        "output 'objectness_p3' has shape [1, 1, 32, 32] where 'levels[0].anchorSizes' and 'aspectRatios' of "
        + "model.json promise [1, 2, 32, 32]");

    private async Task AssertLoadsAsync(TinyPackage package)
    {
        var (code, errors) = await InspectAsync(package);
        Assert.True(errors.Length == 0, errors);
        Assert.Equal(0, code);
    }

    private async Task AssertRefusedAsync(TinyPackage package, string reason)
    {
        var (code, errors) = await InspectAsync(package);
        var error = Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(reason, error, StringComparison.Ordinal);
        Assert.Equal(1, code);
    }

    private async Task<(int Code, string Errors)> InspectAsync(TinyPackage package)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        string[] arguments = [package.WriteTo(_folder, "tiny"), "--Fpn:Execution:Provider=cpu"];
        var code = await InspectCommand.RunAsync(CommandProgram.Tool, arguments, output, errors);
        return (code, errors.ToString());
    }
}
