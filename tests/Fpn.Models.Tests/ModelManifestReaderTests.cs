using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Proposals;
using Fpn.Detection.RoiHeads;
using Fpn.Models.Packages;
using Fpn.Testing.Packages;

namespace Fpn.Models.Tests;

/// <summary>What <c>model.json</c> means, and what is filled in where it says nothing.</summary>
public sealed class ModelManifestReaderTests : IDisposable
{
    private readonly ManifestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_EndToEnd_FillsInTorchvisionsNames()
    {
        var contract = _folder.Read(ManifestFolder.EndToEnd(string.Empty));
        Assert.Equal(ModelLayout.EndToEnd, contract.Layout);
        Assert.Equal(
            new EndToEndOptions("image", 3, ResizeInside: true, "boxes", "labels", "scores", BoxesInOriginal: true),
            contract.EndToEnd);
        Assert.Empty(contract.Anchors.Levels);
        Assert.Equal(["model"], contract.Files.Keys);
    }

    [Fact]
    public void Read_EndToEndResizedOutside_ExpectsBoxesInTheResizedImage()
    {
        var options = _folder.Read(ManifestFolder.EndToEnd("""
            , "endToEnd": { "rank": 4, "resizeInside": false, "boxes": "6379" }
            """)).EndToEnd!;
        Assert.Equal(
            (4, false, "6379", false),
            (options.Rank, options.ResizeInside, options.Boxes, options.BoxesInOriginal));
    }

    [Fact]
    public void Read_Committed_IsWhatItSays()
    {
        var contract = _folder.Read(ModelFolder.OriginalManifest);
        Assert.Equal(
            ("blood-cells", ModelLayout.TwoStage, Convention.Torchvision),
            (contract.Name, contract.Layout, contract.Convention));
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
        var contract = _folder.Read(ManifestFolder.Shortest(string.Empty));
        Assert.Equal(Convention.Torchvision, contract.Convention);
        Assert.Equal((ColorOrder.Rgb, 1f / 255), (contract.Input.ColorOrder, contract.Input.Scale));
        Assert.Equal([0.485f, 0.456f, 0.406f], contract.Input.Mean);
        Assert.Equal([0.229f, 0.224f, 0.225f], contract.Input.Std);
        Assert.Equal(
            (ResizeFilter.Bilinear, SizeRounding.FloorFloat32, 32),
            (contract.Input.Resize, contract.Input.SizeRounding, contract.Input.SizeDivisor));
        Assert.True(contract.Anchors.Rounded);
        Assert.Equal(
            (AnchorOrder.RatioOuter, AnchorArithmetic.SinglePrecision),
            (contract.Anchors.Order, contract.Anchors.Arithmetic));
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
        Assert.Equal(
            new LevelAssignmentOptions { CanonicalLevel = 4, CanonicalSize = 224, Epsilon = LevelEpsilon.AfterLog },
            contract.LevelAssignment);
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
        var contract = _folder.Read(ManifestFolder.Shortest("\"convention\": \"detectron2\","));
        Assert.Equal(Convention.Detectron2, contract.Convention);
        Assert.Equal((ColorOrder.Bgr, 1f), (contract.Input.ColorOrder, contract.Input.Scale));
        Assert.Equal([103.53f, 116.28f, 123.675f], contract.Input.Mean);
        Assert.Equal([1f, 1, 1], contract.Input.Std);
        Assert.Equal(
            (ResizeFilter.BilinearAntialias, SizeRounding.RoundHalfUp, 32),
            (contract.Input.Resize, contract.Input.SizeRounding, contract.Input.SizeDivisor));
        Assert.False(contract.Anchors.Rounded);
        Assert.Equal(
            (AnchorOrder.SizeOuter, AnchorArithmetic.DoublePrecision),
            (contract.Anchors.Order, contract.Anchors.Arithmetic));
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
        Assert.Equal(
            new LevelAssignmentOptions { CanonicalLevel = 4, CanonicalSize = 224, Epsilon = LevelEpsilon.InsideLog },
            contract.LevelAssignment);
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
        var contract = _folder.Read(ManifestFolder.Shortest("""
            "convention": "detectron2",
            "anchors": { "rounded": true, "strides": "derived" },
            "roi": { "canonicalLevel": 3, "canonicalSize": 100, "epsilon": "after-log" },
            "detection": { "background": "first", "boxDeltas": "agnostic", "minBoxSize": 2 },
            "classIds": [7, 9],
            """));
        Assert.True(contract.Anchors.Rounded);
        Assert.All(contract.Anchors.Levels, level => Assert.Null(level.Stride));
        Assert.Equal(
            new LevelAssignmentOptions { CanonicalLevel = 3, CanonicalSize = 100, Epsilon = LevelEpsilon.AfterLog },
            contract.LevelAssignment);
        Assert.Equal(
            (BackgroundPosition.First, BoxDeltasLayout.Agnostic, 2f),
            (contract.RoiHeads.Background, contract.RoiHeads.BoxDeltas, contract.RoiHeads.MinBoxSize));
        Assert.Equal([7, 9], contract.ClassIds);
    }

    [Fact]
    public void Read_StridesAsAList_AreThoseOfTheLevels()
    {
        var contract = _folder.Read(ManifestFolder.Shortest("\"anchors\": { \"strides\": [4, 8, 16, 32, 61] },"));
        Assert.Equal([4, 8, 16, 32, 61], contract.Anchors.Levels.Select(level => level.Stride));
    }

    [Fact]
    public void Read_CommentsAndTrailingCommas_AreAllowed()
    {
        var text = ModelFolder.Edit(
            ModelFolder.OriginalManifest, "\"Platelets\"]", "\"Platelets\", /* the small ones */ ], // the end\n");
        Assert.Equal(3, _folder.Read(text).Labels.Count);
    }

    [Fact]
    public void Read_PlaceholderLabels_MayRepeat()
    {
        var text = ModelFolder.Edit(ModelFolder.OriginalManifest, "\"RBC\"", "\"N/A\"");
        text = ModelFolder.Edit(text, "\"Platelets\"", "\"N/A\"");
        Assert.Equal(["N/A", "WBC", "N/A"], _folder.Read(text).Labels);
    }

    [Fact]
    public void Read_FilesInAFolderOfThePackage_AreFound()
    {
        var graphs = Directory.CreateDirectory(Path.Combine(_folder.Package, "graphs"));
        File.WriteAllBytes(Path.Combine(graphs.FullName, "head.onnx"), []);
        var contract = _folder.Read(
            ModelFolder.Edit(ModelFolder.OriginalManifest, "\"head.onnx\"", "\"graphs/head.onnx\""));
        Assert.Equal(Path.Combine(graphs.FullName, "head.onnx"), contract.Files["head"].Path);
    }
}
