using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Proposals;
using Fpn.Detection.RoiHeads;
using Fpn.Models.Packages;
using Fpn.Testing.Packages;

namespace Fpn.Models.Tests;

/// <summary>What <c>model.json</c> may say, what it means, and what is refused. Each case edits the committed manifest.</summary>
public sealed class ModelManifestReaderTests : IDisposable
{
    private const string Detection = "\"detection\": { ";
    private const string Input = "\"input\": { ";
    private const string Layout = "\"layout\": \"two-stage\",";
    private const string Rpn = "\"rpn\": { ";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fpn-manifest-");

    public static TheoryData<string, string, string> Wrong => new()
    {
        // Names.
        { Layout, "\"layers\": 3,", "'layers': is unknown" },
        { Input, Input + "\"mininumSize\": 1, ", "'input.mininumSize': is unknown" },
        { Layout, Layout + Layout, "layout" },
        { "\"name\": \"blood-cells\"", "\"name\": \"other\"", "'name' must be the name of its folder, 'blood-cells'; it is 'other'" },
        { "\"name\": \"blood-cells\",", string.Empty, "'name' is missing" },
        { "\"version\": \"1\"", "\"version\": \"\"", "'version' is missing" },
        { "\"version\": \"1\"", "\"version\": 1", "'version': has a value of the wrong type" },
        { "\"two-stage\"", "\"one-stage\"", "'layout' must be \"two-stage\" or \"end-to-end\"; it is \"one-stage\"" },
        { "\"torchvision\"", "\"Torchvision\"", "'convention' must be \"torchvision\" or \"detectron2\"; it is \"Torchvision\"" },

        // Files.
        { "\"files\": {", "\"files\": { \"model\": { \"path\": \"a\", \"sha256\": \"b\" },", "'files.model' is unknown; this layout has backbone and head" },
        { "\"head\":", "\"heads\":", "'files.heads' is unknown" },
        { "\"path\": \"head.onnx\", ", string.Empty, "'files.head.path' is missing" },
        { "\"head.onnx\"", "\"no.onnx\"", "'files.head.path' names 'no.onnx', which does not exist" },
        { "\"head.onnx\"", "\"../head.onnx\"", "'files.head.path' must lie inside the package; it is '../head.onnx'" },
        { "\"head.onnx\"", "\"a/../../head.onnx\"", "'files.head.path' must lie inside the package" },
        { "\"head.onnx\"", "\"/etc/passwd\"", "'files.head.path' must lie inside the package" },
        { "\"head.onnx\"", "\"../blood-cells-2/head.onnx\"", "'files.head.path' must lie inside the package" },
        { "\"sha256\": \"a99", "\"sha256\": \"a9", "'files.backbone.sha256' must be 64 hexadecimal digits" },
        { "\"sha256\": \"a99", "\"sha256\": \"x99", "'files.backbone.sha256' must be 64 hexadecimal digits" },

        // Input.
        { "\"minSize\": 384, ", string.Empty, "'input.minSize' is missing" },
        { "\"maxSize\": 640, ", string.Empty, "'input.maxSize' is missing" },
        { "\"minSize\": 384", "\"minSize\": 0", "'input.minSize' must be from 1 to 8192; it is 0" },
        { "\"minSize\": 384", "\"minSize\": 38.5", "'input.minSize'" },
        { "\"maxSize\": 640", "\"maxSize\": 383", "'input.maxSize' must be from 384 to 16384; it is 383" },
        { "\"sizeDivisor\": 32", "\"sizeDivisor\": 0", "'input.sizeDivisor' must be from 1 to 1024; it is 0" },
        { Input, Input + "\"colorOrder\": \"gbr\", ", "'input.colorOrder' must be \"rgb\" or \"bgr\"; it is \"gbr\"" },
        { Input, Input + "\"scale\": 0, ", "'input.scale' must be from " },
        { Input, Input + "\"mean\": [0, 0], ", "'input.mean' must hold three numbers" },
        { Input, Input + "\"std\": [1, 1, 0], ", "'input.std' must hold three numbers greater than 0" },
        { Input, Input + "\"resize\": \"nearest\", ", "'input.resize' must be \"bilinear\" or \"bilinear-antialias\"" },
        { Input, Input + "\"sizeRounding\": \"up\", ", "'input.sizeRounding' must be \"floor-float32\" or \"round-half-up\"" },

        // Levels and anchors.
        { "\"name\": \"p3\"", "\"name\": \"p2\"", "'levels[1].name' repeats 'p2'" },
        { "\"name\": \"p3\"", "\"name\": \"p 3\"", "'levels[1].name' must be letters, digits and '_'" },
        { "\"name\": \"p3\", ", string.Empty, "'levels[1].name' is missing" },
        { "\"anchorSizes\": [64], ", string.Empty, "'levels[1].anchorSizes' is missing" },
        { "[64]", "[]", "'levels[1].anchorSizes' must hold from 1 to 64 sizes greater than 0 (pixels)" },
        { "[64]", "[0]", "'levels[1].anchorSizes'" },
        { "\"pooled\": false", "\"pooled\": null", "'levels[4].pooled' is missing" },
        { "\"pooled\": true", "\"pooled\": false", "'levels' must hold at least one with pooled true" },
        { "[0.5, 1, 2]", "[0.5, -1, 2]", "'aspectRatios' must hold from 1 to 64 ratios greater than 0 (height over width)" },
        { "[0.5, 1, 2]", "[]", "'aspectRatios'" },
        { Rpn, "\"anchors\": { \"strides\": \"fixed\" }, " + Rpn, "'anchors.strides' must be \"derived\" or a list with a stride for each of the 5 levels" },
        { Rpn, "\"anchors\": { \"strides\": [4, 8] }, " + Rpn, "'anchors.strides' must be \"derived\" or a list" },
        { Rpn, "\"anchors\": { \"strides\": [4, 8, 16, 32, 0] }, " + Rpn, "'anchors.strides[4]' must be a whole number from 1 to 4096" },
        { Rpn, "\"anchors\": { \"strides\": [4, 8.5, 16, 32, 64] }, " + Rpn, "'anchors.strides[1]' must be a whole number" },

        // Proposals, RoIs, detections.
        { "\"preNmsTopN\": 1000", "\"preNmsTopN\": 0", "'rpn.preNmsTopN' must be from 1 to 100000; it is 0" },
        { "\"postNmsTopN\": 1000", "\"postNmsTopN\": 100001", "'rpn.postNmsTopN' must be from 1 to 100000; it is 100001" },
        { "\"nmsThreshold\": 0.7", "\"nmsThreshold\": 1.1", "'rpn.nmsThreshold' must be from 0 to 1; it is 1.1" },
        { "\"scoreThreshold\": 0 ", "\"scoreThreshold\": -0.1 ", "'rpn.scoreThreshold' must be from 0 to 1; it is -0.1" },
        { Rpn, Rpn + "\"minBoxSize\": -1, ", "'rpn.minBoxSize' must be from 0 to " },
        { Rpn, "\"roi\": { \"canonicalLevel\": 17 }, " + Rpn, "'roi.canonicalLevel' must be from 0 to 16; it is 17" },
        { Rpn, "\"roi\": { \"canonicalSize\": 0 }, " + Rpn, "'roi.canonicalSize' must be from 1 to " },
        { Rpn, "\"roi\": { \"epsilon\": \"none\" }, " + Rpn, "'roi.epsilon' must be \"after-log\" or \"inside-log\"" },
        { "\"scoreThreshold\": 0.05", "\"scoreThreshold\": 2", "'detection.scoreThreshold' must be from 0 to 1; it is 2" },
        { "\"nmsThreshold\": 0.5", "\"nmsThreshold\": -1", "'detection.nmsThreshold' must be from 0 to 1; it is -1" },
        { "\"maxDetections\": 100", "\"maxDetections\": 0", "'detection.maxDetections' must be from 1 to 100000; it is 0" },
        { "[10, 10, 5, 5]", "[10, 10, 5]", "'detection.boxWeights' must hold four numbers greater than 0" },
        { "[10, 10, 5, 5]", "[10, 10, 5, 0]", "'detection.boxWeights' must hold four numbers greater than 0" },
        { Detection, Detection + "\"background\": \"middle\", ", "'detection.background' must be \"first\" or \"last\"" },
        { Detection, Detection + "\"boxDeltas\": \"shared\", ", "'detection.boxDeltas' must be \"per-class-with-background\" or \"per-class\" or \"agnostic\"" },
        { Detection, Detection + "\"minBoxSize\": -1, ", "'detection.minBoxSize' must be from 0 to " },

        // Labels.
        { "\"WBC\"", "\"RBC\"", "'labels' names 'RBC' twice (only 'N/A' may repeat)" },
        { "\"WBC\"", "\" \"", "'labels' must not hold an empty name" },
        { "\"WBC\"", "null", "'labels' must not hold an empty name" },
        { "[\"RBC\", \"WBC\", \"Platelets\"]", "[]", "'labels' must name from 1 to 100000 classes" },
        { "\"labels\"", "\"classIds\": [1, 2], \"labels\"", "'classIds' must hold a number for each of the 3 labels; it holds 2" },

        // The other layout's keys.
        { Layout, Layout + "\"endToEnd\": {},", "'endToEnd' belongs to the layout \"end-to-end\"" },
        { "\"two-stage\"", "\"end-to-end\"", "'files.backbone' is unknown; this layout has model" },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Read_WrongManifest_NamesFileAndKey(string from, string to, string message)
    {
        var exception = Assert.Throws<ModelPackageException>(() => Read(ModelFolder.Edit(ModelFolder.OriginalManifest, from, to)));
        Assert.StartsWith(Path.Combine(_folder.FullName, "blood-cells", "model.json") + ":", exception.Message, StringComparison.Ordinal);
        Assert.Contains(message, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }

    [Fact]
    public void Read_NoLevel_IsRefused()
    {
        var text = ModelFolder.OriginalManifest;
        var (from, to) = (text.IndexOf("\"levels\"", StringComparison.Ordinal), text.IndexOf("\"aspectRatios\"", StringComparison.Ordinal));
        var exception = Assert.Throws<ModelPackageException>(() => Read($"{text[..from]}\"levels\": [], {text[to..]}"));
        Assert.Contains("'levels' must hold from 1 to 16 levels", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{ \"name\": ")]
    [InlineData("not json")]
    public void Read_NoJsonObject_NamesTheFile(string text) =>
        Assert.StartsWith(Path.Combine(_folder.FullName, "blood-cells", "model.json") + ":", Assert.Throws<ModelPackageException>(() => Read(text)).Message, StringComparison.Ordinal);

    /// <summary>What no JSON reader takes: where, and why.</summary>
    [Theory]
    [InlineData("{\n  \"name\": \"blood-cells\"\n  \"version\": \"1\"\n}", "is not valid JSON: '\"' is invalid after a value.", "(line 3)")]
    [InlineData("{\n  \"name\": blood-cells\n}", "is not valid JSON: 'b' is an invalid start of a value.", "(line 2)")]
    [InlineData("{\n  'name': 1\n}", "is not valid JSON: ''' is an invalid start of a property name.", "(line 2)")]
    [InlineData("{\n\n  \"name\": \"a", "is not valid JSON: Expected end of string", "(line 3)")]
    [InlineData("{ \"name\": \"a\nb\" }", "is not valid JSON: '0x0A' is invalid within a JSON string.", "(line 1)")]
    [InlineData("{ } {", "is not valid JSON: ", "(line 1)")]
    [InlineData("{\n\"input\": { \"minSize\": \"large\" } }", "key 'input.minSize': has a value of the wrong type.", "(line 2)")]
    public void Read_NoJson_SaysTheLineAndWhatIsWrong(string text, string reason, string line)
    {
        var message = Assert.Throws<ModelPackageException>(() => Read(text)).Message;
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.EndsWith(line, message, StringComparison.Ordinal);
        Assert.DoesNotContain("LineNumber", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NoManifest_NamesTheFile() =>
        Assert.Contains("model.json: cannot be read", Assert.Throws<ModelPackageException>(() => ModelManifestReader.Read(_folder.FullName)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("\"levels\"")]
    [InlineData("\"rpn\"")]
    [InlineData("\"roi\"")]
    [InlineData("\"anchors\"")]
    [InlineData("\"aspectRatios\"")]
    public void Read_EndToEndWithTwoStageKeys_IsRefused(string key)
    {
        var value = key is "\"levels\"" or "\"aspectRatios\"" ? "[]" : "{}";
        var exception = Assert.Throws<ModelPackageException>(() => Read(EndToEnd($", {key}: {value}")));
        Assert.Contains($"'{key.Trim('"')}' belongs to two-stage models", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_EndToEnd_FillsInTorchvisionsNames()
    {
        var contract = Read(EndToEnd(string.Empty));
        Assert.Equal(ModelLayout.EndToEnd, contract.Layout);
        Assert.Equal(new EndToEndOptions("image", 3, ResizeInside: true, "boxes", "labels", "scores", BoxesInOriginal: true), contract.EndToEnd);
        Assert.Empty(contract.Anchors.Levels);
        Assert.Equal(["model"], contract.Files.Keys);
    }

    [Fact]
    public void Read_EndToEndResizedOutside_ExpectsBoxesInTheResizedImage()
    {
        var options = Read(EndToEnd(", \"endToEnd\": { \"rank\": 4, \"resizeInside\": false, \"boxes\": \"6379\" }")).EndToEnd!;
        Assert.Equal((4, false, "6379", false), (options.Rank, options.ResizeInside, options.Boxes, options.BoxesInOriginal));
    }

    [Theory]
    [InlineData("{ \"rank\": 5 }", "'endToEnd.rank' must be from 3 to 4; it is 5")]
    [InlineData("{ \"boxSpace\": \"padded\" }", "'endToEnd.boxSpace' must be \"original\" or \"resized\"")]
    [InlineData("{ \"box\": \"b\" }", "'endToEnd.box': is unknown")]
    public void Read_EndToEndWrong_NamesTheKey(string options, string message) =>
        Assert.Contains(message, Assert.Throws<ModelPackageException>(() => Read(EndToEnd($", \"endToEnd\": {options}"))).Message, StringComparison.Ordinal);

    [Fact]
    public void Read_Committed_IsWhatItSays()
    {
        var contract = Read(ModelFolder.OriginalManifest);
        Assert.Equal(("blood-cells", ModelLayout.TwoStage, Convention.Torchvision), (contract.Name, contract.Layout, contract.Convention));
        Assert.Equal((384, 640, 32), (contract.Input.MinSize, contract.Input.MaxSize, contract.Input.SizeDivisor));
        Assert.Equal(["p2", "p3", "p4", "p5", "p6"], contract.Anchors.Levels.Select(level => level.Name));
        Assert.Equal([32f, 64, 128, 256, 512], contract.Anchors.Levels.SelectMany(level => level.AnchorSizes));
        Assert.Equal([true, true, true, true, false], contract.Anchors.Levels.Select(level => level.Pooled));
        Assert.Equal(["RBC", "WBC", "Platelets"], contract.Labels);
        Assert.Equal([1, 2, 3], contract.ClassIds);
        Assert.Equal(["backbone", "head"], contract.Files.Keys);
        Assert.All(contract.Files, file => Assert.Equal($"files.{file.Key}", file.Value.Key));
    }

    [Fact]
    public void Read_ShortestTorchvision_HasTorchvisionsDefaults()
    {
        var contract = Read(Shortest(string.Empty));
        Assert.Equal(Convention.Torchvision, contract.Convention);
        Assert.Equal((ColorOrder.Rgb, 1f / 255), (contract.Input.ColorOrder, contract.Input.Scale));
        Assert.Equal([0.485f, 0.456f, 0.406f], contract.Input.Mean);
        Assert.Equal([0.229f, 0.224f, 0.225f], contract.Input.Std);
        Assert.Equal((ResizeFilter.Bilinear, SizeRounding.FloorFloat32, 32), (contract.Input.Resize, contract.Input.SizeRounding, contract.Input.SizeDivisor));
        Assert.True(contract.Anchors.Rounded);
        Assert.Equal((AnchorOrder.RatioOuter, AnchorArithmetic.SinglePrecision), (contract.Anchors.Order, contract.Anchors.Arithmetic));
        Assert.Equal([0.5f, 1, 2], contract.Anchors.AspectRatios);
        Assert.All(contract.Anchors.Levels, level => Assert.Null(level.Stride));
        Assert.Equal(
            new ProposalOptions
            {
                PreNmsTopN = 1000,
                PostNmsTopN = 1000,
                NmsThreshold = 0.7,
                ScoreThreshold = 0,
                MinBoxSize = 1e-3f,
                MinBoxSizeInclusive = true,
                DropNonFinite = false,
                Ranking = ProposalRanking.Score,
                MaxShiftedBoxes = 1000,
            },
            contract.Proposals);
        Assert.Equal(new LevelAssignmentOptions { CanonicalLevel = 4, CanonicalSize = 224, Epsilon = LevelEpsilon.AfterLog }, contract.LevelAssignment);
        Assert.Equal(
            new RoiHeadsOptions
            {
                Classes = 2,
                Background = BackgroundPosition.First,
                BoxDeltas = BoxDeltasLayout.PerClassWithBackground,
                BoxWeights = new BoxWeights(10, 10, 5, 5),
                ScoreThreshold = 0.05f,
                NmsThreshold = 0.5,
                DetectionsPerImage = 100,
                MinBoxSize = 1e-2f,
                DropNonFinite = false,
                DropEmpty = false,
                MaxShiftedBoxes = 1000,
            },
            contract.RoiHeads);
    }

    [Fact]
    public void Read_ShortestDetectron2_HasDetectron2sDefaults()
    {
        var contract = Read(Shortest("\"convention\": \"detectron2\","));
        Assert.Equal(Convention.Detectron2, contract.Convention);
        Assert.Equal((ColorOrder.Bgr, 1f), (contract.Input.ColorOrder, contract.Input.Scale));
        Assert.Equal([103.53f, 116.28f, 123.675f], contract.Input.Mean);
        Assert.Equal([1f, 1, 1], contract.Input.Std);
        Assert.Equal((ResizeFilter.BilinearAntialias, SizeRounding.RoundHalfUp, 32), (contract.Input.Resize, contract.Input.SizeRounding, contract.Input.SizeDivisor));
        Assert.False(contract.Anchors.Rounded);
        Assert.Equal((AnchorOrder.SizeOuter, AnchorArithmetic.DoublePrecision), (contract.Anchors.Order, contract.Anchors.Arithmetic));
        Assert.Equal([4, 8, 16, 32, 64], contract.Anchors.Levels.Select(level => level.Stride));
        Assert.Equal(
            new ProposalOptions
            {
                MinBoxSize = 0,
                MinBoxSizeInclusive = false,
                DropNonFinite = true,
                Ranking = ProposalRanking.Logit,
                MaxShiftedBoxes = 40_000,
            },
            contract.Proposals);
        Assert.Equal(new LevelAssignmentOptions { CanonicalLevel = 4, CanonicalSize = 224, Epsilon = LevelEpsilon.InsideLog }, contract.LevelAssignment);
        Assert.Equal(
            new RoiHeadsOptions
            {
                Classes = 2,
                Background = BackgroundPosition.Last,
                BoxDeltas = BoxDeltasLayout.PerClass,
                MinBoxSize = 0,
                DropNonFinite = true,
                DropEmpty = true,
                MaxShiftedBoxes = 40_000,
            },
            contract.RoiHeads);
    }

    [Fact]
    public void Read_SingleKeys_OverrideTheConvention()
    {
        var contract = Read(Shortest("""
            "convention": "detectron2",
            "anchors": { "rounded": true, "strides": "derived" },
            "roi": { "canonicalLevel": 3, "canonicalSize": 100, "epsilon": "after-log" },
            "detection": { "background": "first", "boxDeltas": "agnostic", "minBoxSize": 2 },
            "classIds": [7, 9],
            """));
        Assert.True(contract.Anchors.Rounded);
        Assert.All(contract.Anchors.Levels, level => Assert.Null(level.Stride));
        Assert.Equal(new LevelAssignmentOptions { CanonicalLevel = 3, CanonicalSize = 100, Epsilon = LevelEpsilon.AfterLog }, contract.LevelAssignment);
        Assert.Equal(
            (BackgroundPosition.First, BoxDeltasLayout.Agnostic, 2f),
            (contract.RoiHeads.Background, contract.RoiHeads.BoxDeltas, contract.RoiHeads.MinBoxSize));
        Assert.Equal([7, 9], contract.ClassIds);
    }

    [Fact]
    public void Read_StridesAsAList_AreThoseOfTheLevels()
    {
        var contract = Read(Shortest("\"anchors\": { \"strides\": [4, 8, 16, 32, 61] },"));
        Assert.Equal([4, 8, 16, 32, 61], contract.Anchors.Levels.Select(level => level.Stride));
    }

    [Fact]
    public void Read_CommentsAndTrailingCommas_AreAllowed()
    {
        var text = ModelFolder.Edit(ModelFolder.OriginalManifest, "\"Platelets\"]", "\"Platelets\", /* the small ones */ ], // the end\n");
        Assert.Equal(3, Read(text).Labels.Count);
    }

    [Fact]
    public void Read_PlaceholderLabels_MayRepeat() =>
        Assert.Equal(["N/A", "WBC", "N/A"], Read(ModelFolder.OriginalManifest.Replace("\"RBC\"", "\"N/A\"", StringComparison.Ordinal).Replace("\"Platelets\"", "\"N/A\"", StringComparison.Ordinal)).Labels);

    [Fact]
    public void Read_FilesInAFolderOfThePackage_AreFound()
    {
        var package = Directory.CreateDirectory(Path.Combine(_folder.FullName, "blood-cells", "graphs"));
        File.WriteAllBytes(Path.Combine(package.FullName, "head.onnx"), []);
        var contract = Read(ModelFolder.Edit(ModelFolder.OriginalManifest, "\"head.onnx\"", "\"graphs/head.onnx\""));
        Assert.Equal(Path.Combine(package.FullName, "head.onnx"), contract.Files["head"].Path);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static string Shortest(string keys) => $$"""
        {
          "name": "blood-cells", "version": "1", {{keys}}
          "files": {
            "backbone": { "path": "backbone.onnx", "sha256": "{{new string('0', 64)}}" },
            "head": { "path": "head.onnx", "sha256": "{{new string('F', 64)}}" }
          },
          "input": { "minSize": 800, "maxSize": 1333 },
          "levels": [
            { "name": "p2", "anchorSizes": [32], "pooled": true }, { "name": "p3", "anchorSizes": [64], "pooled": true },
            { "name": "p4", "anchorSizes": [128], "pooled": true }, { "name": "p5", "anchorSizes": [256], "pooled": true },
            { "name": "p6", "anchorSizes": [512], "pooled": false }
          ],
          "labels": ["cat", "dog"]
        }
        """;

    private static string EndToEnd(string keys) => $$"""
        {
          "name": "blood-cells", "version": "1", "layout": "end-to-end",
          "files": { "model": { "path": "model.onnx", "sha256": "{{new string('0', 64)}}" } },
          "input": { "minSize": 800, "maxSize": 1333 },
          "labels": ["cat", "dog"]{{keys}}
        }
        """;

    /// <summary>Reads a manifest in a package whose graphs are empty files: they are loaded by others.</summary>
    private ModelContract Read(string manifest)
    {
        var package = Directory.CreateDirectory(Path.Combine(_folder.FullName, "blood-cells")).FullName;
        var neighbour = Directory.CreateDirectory(Path.Combine(_folder.FullName, "blood-cells-2")).FullName;
        foreach (var file in new[] { "backbone.onnx", "head.onnx", "model.onnx" })
        {
            File.WriteAllBytes(Path.Combine(package, file), []);
        }

        File.WriteAllBytes(Path.Combine(neighbour, "head.onnx"), []);
        File.WriteAllText(Path.Combine(package, ModelManifestReader.FileName), manifest);
        return ModelManifestReader.Read(package);
    }
}
