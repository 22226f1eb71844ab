using Fpn.Models.Packages;
using Fpn.Testing.Packages;

namespace Fpn.Models.Tests;

/// <summary>What <c>model.json</c> must not say, and how the message names it. Most cases edit the committed
/// manifest.</summary>
public sealed class ManifestRefusalTests : IDisposable
{
    private const string Detection = "\"detection\": { ";
    private const string Input = "\"input\": { ";
    private const string Layout = "\"layout\": \"two-stage\",";
    private const string Rpn = "\"rpn\": { ";

    private readonly ManifestFolder _folder = new();

    public static TheoryData<string, string, string> Wrong => new()
    {
        // Names.
        { Layout, "\"layers\": 3,", "'layers': is unknown" },
        { Input, Input + "\"mininumSize\": 1, ", "'input.mininumSize': is unknown" },
        { Layout, Layout + Layout, "layout" },
        {
            "\"name\": \"blood-cells\"",
            "\"name\": \"other\"",
            "'name' must be the name of its folder, 'blood-cells'; it is 'other'"
        },
        { "\"name\": \"blood-cells\",", string.Empty, "'name' is missing" },
        { "\"version\": \"1\"", "\"version\": \"\"", "'version' is missing" },
        { "\"version\": \"1\"", "\"version\": 1", "'version': has a value of the wrong type" },
        { "\"two-stage\"", "\"one-stage\"", "'layout' must be \"two-stage\" or \"end-to-end\"; it is \"one-stage\"" },
        {
            "\"torchvision\"",
            "\"Torchvision\"",
            "'convention' must be \"torchvision\" or \"detectron2\"; it is \"Torchvision\""
        },

        // Files.
        {
            "\"files\": {",
            "\"files\": { \"model\": { \"path\": \"a\", \"sha256\": \"b\" },",
            "'files.model' is unknown; this layout has backbone and head"
        },
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
        {
            Input,
            Input + "\"sizeRounding\": \"up\", ",
            "'input.sizeRounding' must be \"floor-float32\" or \"round-half-up\""
        },

        // Levels and anchors.
        { "\"name\": \"p3\"", "\"name\": \"p2\"", "'levels[1].name' repeats 'p2'" },
        { "\"name\": \"p3\"", "\"name\": \"p 3\"", "'levels[1].name' must be letters, digits and '_'" },
        { "\"name\": \"p3\", ", string.Empty, "'levels[1].name' is missing" },
        { "\"anchorSizes\": [64], ", string.Empty, "'levels[1].anchorSizes' is missing" },
        { "[64]", "[]", "'levels[1].anchorSizes' must hold from 1 to 64 sizes greater than 0 (pixels)" },
        { "[64]", "[0]", "'levels[1].anchorSizes'" },
        { "\"pooled\": false", "\"pooled\": null", "'levels[4].pooled' is missing" },
        { "\"pooled\": true", "\"pooled\": false", "'levels' must hold at least one with pooled true" },
        {
            "[0.5, 1, 2]",
            "[0.5, -1, 2]",
            "'aspectRatios' must hold from 1 to 64 ratios greater than 0 (height over width)"
        },
        { "[0.5, 1, 2]", "[]", "'aspectRatios'" },
        {
            Rpn,
            "\"anchors\": { \"strides\": \"fixed\" }, " + Rpn,
            "'anchors.strides' must be \"derived\" or a list with a stride for each of the 5 levels"
        },
        { Rpn, "\"anchors\": { \"strides\": [4, 8] }, " + Rpn, "'anchors.strides' must be \"derived\" or a list" },
        {
            Rpn,
            "\"anchors\": { \"strides\": [4, 8, 16, 32, 0] }, " + Rpn,
            "'anchors.strides[4]' must be a whole number from 1 to 4096"
        },
        {
            Rpn,
            "\"anchors\": { \"strides\": [4, 8.5, 16, 32, 64] }, " + Rpn,
            "'anchors.strides[1]' must be a whole number"
        },

        // Proposals, RoIs, detections.
        { "\"preNmsTopN\": 1000", "\"preNmsTopN\": 0", "'rpn.preNmsTopN' must be from 1 to 100000; it is 0" },
        {
            "\"postNmsTopN\": 1000",
            "\"postNmsTopN\": 100001",
            "'rpn.postNmsTopN' must be from 1 to 100000; it is 100001"
        },
        { "\"nmsThreshold\": 0.7", "\"nmsThreshold\": 1.1", "'rpn.nmsThreshold' must be from 0 to 1; it is 1.1" },
        {
            "\"scoreThreshold\": 0 ",
            "\"scoreThreshold\": -0.1 ",
            "'rpn.scoreThreshold' must be from 0 to 1; it is -0.1"
        },
        { Rpn, Rpn + "\"minBoxSize\": -1, ", "'rpn.minBoxSize' must be from 0 to " },
        { Rpn, "\"roi\": { \"canonicalLevel\": 17 }, " + Rpn, "'roi.canonicalLevel' must be from 0 to 16; it is 17" },
        { Rpn, "\"roi\": { \"canonicalSize\": 0 }, " + Rpn, "'roi.canonicalSize' must be from 1 to " },
        { Rpn, "\"roi\": { \"epsilon\": \"none\" }, " + Rpn, "'roi.epsilon' must be \"after-log\" or \"inside-log\"" },
        {
            "\"scoreThreshold\": 0.05",
            "\"scoreThreshold\": 2",
            "'detection.scoreThreshold' must be from 0 to 1; it is 2"
        },
        { "\"nmsThreshold\": 0.5", "\"nmsThreshold\": -1", "'detection.nmsThreshold' must be from 0 to 1; it is -1" },
        {
            "\"maxDetections\": 100",
            "\"maxDetections\": 0",
            "'detection.maxDetections' must be from 1 to 100000; it is 0"
        },
        { "[10, 10, 5, 5]", "[10, 10, 5]", "'detection.boxWeights' must hold four numbers greater than 0" },
        { "[10, 10, 5, 5]", "[10, 10, 5, 0]", "'detection.boxWeights' must hold four numbers greater than 0" },
        {
            Detection,
            Detection + "\"background\": \"middle\", ",
            "'detection.background' must be \"first\" or \"last\""
        },
        {
            Detection,
            Detection + "\"boxDeltas\": \"shared\", ",
            "'detection.boxDeltas' must be \"per-class-with-background\" or \"per-class\" or \"agnostic\""
        },
        { Detection, Detection + "\"minBoxSize\": -1, ", "'detection.minBoxSize' must be from 0 to " },

        // Labels.
        { "\"WBC\"", "\"RBC\"", "'labels' names 'RBC' twice (only 'N/A' may repeat)" },
        { "\"WBC\"", "\" \"", "'labels' must not hold an empty name" },
        { "\"WBC\"", "null", "'labels' must not hold an empty name" },
        { "[\"RBC\", \"WBC\", \"Platelets\"]", "[]", "'labels' must name from 1 to 100000 classes" },
        {
            "\"labels\"",
            "\"classIds\": [1, 2], \"labels\"",
            "'classIds' must hold a number for each of the 3 labels; it holds 2"
        },

        // The other layout's keys.
        { Layout, Layout + "\"endToEnd\": {},", "'endToEnd' belongs to the layout \"end-to-end\"" },
        { "\"two-stage\"", "\"end-to-end\"", "'files.backbone' is unknown; this layout has model" },
    };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Wrong))]
    public void Read_WrongManifest_NamesFileAndKey(string from, string to, string message)
    {
        var refusal = Refuse(ModelFolder.Edit(ModelFolder.OriginalManifest, from, to));
        Assert.StartsWith($"{_folder.Manifest}:", refusal, StringComparison.Ordinal);
        Assert.Contains(message, refusal, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal);
    }

    [Fact]
    public void Read_NoLevel_IsRefused()
    {
        var text = ModelFolder.OriginalManifest;
        var from = text.IndexOf("\"levels\"", StringComparison.Ordinal);
        var to = text.IndexOf("\"aspectRatios\"", StringComparison.Ordinal);
        Assert.Contains(
            "'levels' must hold from 1 to 16 levels",
            Refuse($"{text[..from]}\"levels\": [], {text[to..]}"),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{ \"name\": ")]
    [InlineData("not json")]
    public void Read_NoJsonObject_NamesTheFile(string text) =>
        Assert.StartsWith($"{_folder.Manifest}:", Refuse(text), StringComparison.Ordinal);

    /// <summary>What no JSON reader takes: where, and why.</summary>
    [Theory]
    [InlineData("{\n  \"name\": \"a\"\n  \"b\": 1\n}", "is not valid JSON: '\"' is invalid after a value.", "(line 3)")]
    [InlineData("{\n  \"name\": blood-cells\n}", "is not valid JSON: 'b' is an invalid start of a value.", "(line 2)")]
    [InlineData("{\n  'name': 1\n}", "is not valid JSON: ''' is an invalid start of a property name.", "(line 2)")]
    [InlineData("{\n\n  \"name\": \"a", "is not valid JSON: Expected end of string", "(line 3)")]
    [InlineData("{ \"name\": \"a\nb\" }", "is not valid JSON: '0x0A' is invalid within a JSON string.", "(line 1)")]
    [InlineData("{ } {", "is not valid JSON: ", "(line 1)")]
    [InlineData("{\n\"input\": { \"minSize\": \"\" } }", "'input.minSize': has a value of the wrong type.", "(line 2)")]
    public void Read_NoJson_SaysTheLineAndWhatIsWrong(string text, string reason, string line)
    {
        var message = Refuse(text);
        Assert.Contains(reason, message, StringComparison.Ordinal);
        Assert.EndsWith(line, message, StringComparison.Ordinal);
        Assert.DoesNotContain("LineNumber", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_NoManifest_NamesTheFile()
    {
        var exception = Assert.Throws<ModelPackageException>(
            () => ModelManifestReader.Read(_folder.Package, "blood-cells"));
        Assert.Contains("model.json: cannot be read", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"levels\"")]
    [InlineData("\"rpn\"")]
    [InlineData("\"roi\"")]
    [InlineData("\"anchors\"")]
    [InlineData("\"aspectRatios\"")]
    public void Read_EndToEndWithTwoStageKeys_IsRefused(string key)
    {
        var value = key is "\"levels\"" or "\"aspectRatios\"" ? "[]" : "{}";
        Assert.Contains(
            $"'{key.Trim('"')}' belongs to two-stage models",
            Refuse(ManifestFolder.EndToEnd($", {key}: {value}")),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ \"rank\": 5 }", "'endToEnd.rank' must be from 3 to 4; it is 5")]
    [InlineData("{ \"boxSpace\": \"padded\" }", "'endToEnd.boxSpace' must be \"original\" or \"resized\"")]
    [InlineData("{ \"box\": \"b\" }", "'endToEnd.box': is unknown")]
    public void Read_EndToEndWrong_NamesTheKey(string options, string message) => Assert.Contains(
        message, Refuse(ManifestFolder.EndToEnd($", \"endToEnd\": {options}")), StringComparison.Ordinal);

    /// <summary>Reads a manifest that is refused.</summary>
    /// <returns>The message.</returns>
    private string Refuse(string manifest) =>
        Assert.Throws<ModelPackageException>(() => _folder.Read(manifest)).Message;
}
