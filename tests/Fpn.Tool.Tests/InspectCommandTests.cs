using System.Text.Json;
using Fpn.Testing.Goldens;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;
using Fpn.Tool.Commands;

namespace Fpn.Tool.Tests;

/// <summary>The command on real packages, and on faulty ones.</summary>
public sealed class InspectCommandTests : IDisposable
{
    private static readonly string BloodCells = Path.Combine(Checkout.Models, "blood-cells");

    private readonly ModelFolder _models = new();

    public void Dispose() => _models.Dispose();

    [Fact]
    public async Task Inspect_TrainedModel_PrintsGraphsAndPlacement()
    {
        var (code, output, errors) = await RunAsync(BloodCells, "--Fpn:Execution:Provider=cpu");
        Assert.Equal((0, string.Empty), (code, errors));
        var lines = output.Split('\n');
        Assert.Equal("blood-cells, version 1: two-stage, torchvision, 3 labels", lines[0]);
        Assert.Equal(BloodCells, lines[1]);
        Assert.Matches(@"^ONNX Runtime \d+\.\d+\.\d+ on cpu \(CPU, \d+ threads\): ", lines[2]);
        Assert.Contains("Largest image: 384x640 float32, 2.9 MB.", lines);
        Assert.Contains("backbone: backbone.onnx, 12.1 MB, opset 16", lines);
        Assert.Contains("    images  float32  [N, 3, H, W]", lines);
        Assert.Contains("  108 nodes, 108 on cpu", lines);
        Assert.Contains("head: head.onnx, 3.5 MB, opset 16", lines);
        Assert.Contains("    class_logits  float32  [R, 4]", lines);
        Assert.Contains("  29 nodes, 29 on cpu", lines);
        Assert.DoesNotContain("fall back", output, StringComparison.Ordinal);
        Assert.DoesNotContain("/backbone/body/conv1/Conv", output, StringComparison.Ordinal);
    }

    /// <summary>Paths as shells write them, most by completion.</summary>
    [Theory]
    [InlineData("models", "blood-cells/")]
    [InlineData("models", "blood-cells//")]
    [InlineData("models", "./blood-cells/.")]
    [InlineData("models", "blood-cells/../blood-cells")]
    [InlineData("models/export", "../blood-cells/")]
    [InlineData("models/blood-cells", ".")]
    [InlineData("models/blood-cells", "./")]
    [InlineData("models/blood-cells", "model.json")]
    [InlineData(".", "models/blood-cells/model.json")]
    [InlineData(".", "//{0}/models/blood-cells/")]
    public async Task Inspect_AnyPathToThePackage_FindsIt(string from, string path)
    {
        var (code, output, errors) = await Programs.RunToolAsync(
            Path.Combine(Checkout.Root, from),
            InspectArguments.Command,
            path.Replace("{0}", Checkout.Root.TrimStart('/'), StringComparison.Ordinal));
        Assert.Equal((0, string.Empty), (code, errors));
        Assert.Equal(BloodCells, output.Split('\n')[1]);
    }

    [Fact]
    public async Task Inspect_WithNodes_ListsEachWithItsProvider()
    {
        var (code, output, _) = await RunAsync(BloodCells, "--nodes");
        Assert.Equal(0, code);
        Assert.Contains("    cpu  Conv       /backbone/body/conv1/Conv", output.Split('\n'));
        Assert.Equal(
            108 + 29, output.Split('\n').Count(line => line.StartsWith("    cpu  ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Inspect_Json_IsForPrograms()
    {
        var (code, output, _) = await RunAsync(BloodCells, "--json");
        Assert.Equal(0, code);
        using var document = JsonDocument.Parse(output);
        var report = document.RootElement;
        Assert.Equal("blood-cells", report.GetProperty("name").GetString());
        var labels = report.GetProperty("labels").EnumerateArray().Select(label => label.GetString());
        Assert.Equal(["RBC", "WBC", "Platelets"], labels);
        Assert.Equal("cpu", report.GetProperty("runtime").GetProperty("provider").GetString());
        Assert.Equal(3 * 4 * 384 * 640, report.GetProperty("largestInput").GetProperty("bytes").GetInt64());
        var backbone = report.GetProperty("graphs")[0];
        Assert.Equal("backbone", backbone.GetProperty("role").GetString());
        Assert.Equal(16, backbone.GetProperty("opset").GetInt32());
        Assert.Equal(108, backbone.GetProperty("nodeCount").GetInt32());
        Assert.Equal(108, backbone.GetProperty("nodesByProvider").GetProperty("cpu").GetInt32());
        Assert.Equal(0, backbone.GetProperty("fallenBack").GetArrayLength());
        Assert.False(backbone.TryGetProperty("nodes", out _));
        var images = backbone.GetProperty("inputs")[0];
        var dimensions = images.GetProperty("dimensions").EnumerateArray().Select(size => size.GetString());
        Assert.Equal(["N", "3", "H", "W"], dimensions);
    }

    [Fact]
    public async Task Inspect_JsonWithNodes_HasThemAll()
    {
        var (_, output, _) = await RunAsync(BloodCells, "--json", "--nodes");
        using var document = JsonDocument.Parse(output);
        var nodes = document.RootElement.GetProperty("graphs")[1].GetProperty("nodes");
        Assert.Equal(29, nodes.GetArrayLength());
        Assert.Contains(
            nodes.EnumerateArray(),
            node => node.GetProperty("operator").ValueEquals("RoiAlign")
                && node.GetProperty("provider").ValueEquals("cpu"));
    }

    /// <summary>A graph that resizes its images takes any size, so there is no largest one.</summary>
    [Fact]
    public async Task Inspect_EndToEndPackage_HasOneGraph()
    {
        var graph = GoldenFolder.At("end-to-end", "constant.onnx");
        var package = Directory.CreateDirectory(Path.Combine(_models.Path, "constant")).FullName;
        File.Copy(graph, Path.Combine(package, "model.onnx"));
        var checksum = ModelFolder.Sha256(File.ReadAllBytes(graph));
        File.WriteAllText(Path.Combine(package, "model.json"), $$"""
            {
              "name": "constant", "version": "3", "layout": "end-to-end",
              "files": { "model": { "path": "model.onnx", "sha256": "{{checksum}}" } },
              "input": { "minSize": 384, "maxSize": 640 },
              "endToEnd": { "boxes": "6379", "labels": "6381", "scores": "6383" },
              "labels": ["one", "two", "three"]
            }
            """);
        var (code, output, errors) = await RunAsync(package, "--json");
        Assert.Equal((0, string.Empty), (code, errors));
        using var document = JsonDocument.Parse(output);
        Assert.Equal("end-to-end", document.RootElement.GetProperty("layout").GetString());
        Assert.False(document.RootElement.TryGetProperty("largestInput", out _));

        // The whole graph is constant, so no node is left to run.
        var only = Assert.Single(document.RootElement.GetProperty("graphs").EnumerateArray());
        Assert.Equal(("model", 0), (only.GetProperty("role").GetString(), only.GetProperty("nodeCount").GetInt32()));
    }

    /// <summary>As <c>Models:Path</c> may name it: KServe mounts a package at <c>/mnt/models</c>.</summary>
    [Fact]
    public async Task Inspect_FolderWithAnotherName_SaysThatItIsServedAlone()
    {
        var package = Path.Combine(_models.Path, "model");
        Directory.Move(_models.Add(), package);
        var (code, output, errors) = await RunAsync(package);
        Assert.Equal((0, string.Empty), (code, errors));
        Assert.StartsWith("blood-cells, version 1: ", output, StringComparison.Ordinal);
        Assert.Equal(
            "It is served alone only: in a folder of models, its folder must not be called 'model'.",
            output.Split('\n')[2]);
    }

    [Fact]
    public async Task Inspect_VersionFolder_HasItsNumber()
    {
        var (code, output, errors) = await RunAsync(_models.AddVersion("pets", "2"));
        Assert.Equal((0, string.Empty), (code, errors));
        Assert.StartsWith("pets, version 2: ", output, StringComparison.Ordinal);
        Assert.DoesNotContain("alone", output, StringComparison.Ordinal);
    }

    /// <summary>The message is that of a start of the service.</summary>
    [Fact]
    public async Task Inspect_WrongManifest_Ends1AndNamesTheKey()
    {
        var package = _models.Add(manifest: text => ModelFolder.Edit(text, "\"minSize\": 384", "\"minSize\": 0"));
        var (code, output, errors) = await RunAsync(package);
        Assert.Equal((1, string.Empty), (code, output));
        Assert.StartsWith(
            Path.Combine(package, "model.json") + ": key 'input.minSize'", errors, StringComparison.Ordinal);
        Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Inspect_WrongGraph_Ends1AndNamesTheFile()
    {
        var package = _models.Add(graphs: ("head", OnnxEdit.Rename(
            File.ReadAllBytes(ModelFolder.OriginalFile("head.onnx")), "box_deltas", "box_doltas")));
        var (code, _, errors) = await RunAsync(package);
        Assert.Equal(1, code);
        Assert.Contains("head.onnx: output 'box_deltas' is missing", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_NoPackage_Ends1()
    {
        var (code, _, errors) = await RunAsync(Path.Combine(_models.Path, "none"));
        Assert.Equal(1, code);
        Assert.Contains("model.json: cannot be read", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_WrongSetting_Ends1AndNamesIt()
    {
        var (code, _, errors) = await RunAsync(BloodCells, "--Fpn:Execution:Provider=tpu");
        Assert.Equal(1, code);
        Assert.Contains("Setting 'Fpn:Execution:Provider' must be one of", errors, StringComparison.Ordinal);
    }

    /// <summary>As at a start: where CUDA is demanded, the message says what is in its way.</summary>
    [Fact]
    public async Task Inspect_CudaThatCannotBeLoaded_Ends1()
    {
        var (code, output, errors) = await RunAsync(BloodCells, "--Fpn:Execution:Provider=cuda");
        Assert.Equal((1, string.Empty), (code, output));
        Assert.StartsWith("Setting 'Fpn:Execution:Provider' is 'cuda', but ", errors, StringComparison.Ordinal);
        Assert.Contains("there is no NVIDIA driver", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Inspect_WrongUsage_Ends2AndSaysHowToUseIt()
    {
        var (code, output, errors) = await RunAsync();
        Assert.Equal((2, string.Empty), (code, output));
        Assert.Equal(
            "usage: fpn inspect PACKAGE [--nodes] [--json] [SETTING …] (fpn --help says more)", errors.TrimEnd('\n'));
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var errors = new StringWriter();
        var code = await InspectCommand.RunAsync(CommandProgram.Tool, arguments, output, errors);
        return (code, output.ToString(), errors.ToString());
    }
}
