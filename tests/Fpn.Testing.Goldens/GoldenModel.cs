namespace Fpn.Testing.Goldens;

/// <summary>A model whose goldens lie in tests/Golden, in a folder of its name.</summary>
internal sealed class GoldenModel
{
    private readonly string _name;

    private GoldenModel(string name)
    {
        _name = name;
        Meta = GoldenFolder.ReadJson<GoldenMeta>(name, "meta.json");
    }

    public static GoldenModel BloodCells { get; } = new("blood-cells");

    public static GoldenModel Everyday { get; } = new("everyday");

    /// <summary>Model and case of all goldens of all models: one test each.</summary>
    public static TheoryData<string, string> AllCases =>
        [.. new[] { BloodCells, Everyday }.SelectMany(model => model.Meta.Cases.Select(name => (model._name, name)))];

    /// <summary>What holds for all cases.</summary>
    public GoldenMeta Meta { get; }

    /// <summary>The model of this name.</summary>
    public static GoldenModel Of(string name) => name == Everyday._name ? Everyday : BloodCells;

    /// <summary>Reads a case.</summary>
    public GoldenCase Load(string name) =>
        GoldenFolder.ReadJson<GoldenCase>(_name, "cases", name, "expected.json") with { Name = name, Model = _name };
}
