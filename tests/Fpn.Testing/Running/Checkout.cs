using Fpn.Testing.Goldens;

namespace Fpn.Testing.Running;

/// <summary>Where the repository's files are, found from the test's own place below it.</summary>
internal static class Checkout
{
    /// <summary>The repository's folder.</summary>
    public static string Root => RepositoryFolder.Root;

    /// <summary>The committed model packages.</summary>
    public static string Models => Path.Combine(Root, "models");

    /// <summary>A folder with blood-cells alone: what most tests serve, since a small model is ready soon.</summary>
    public static string BloodCells { get; } = Alone("blood-cells");

    /// <summary>A folder with everyday alone.</summary>
    public static string Everyday { get; } = Alone("everyday");

    /// <summary>A picture that the project ships, of what blood-cells knows.</summary>
    public static string SampleImage => Sample("smear.jpg");

    /// <summary>A picture that the project ships, of what everyday knows: a person.</summary>
    public static string Astronaut => Sample("astronaut.jpg");

    /// <summary>The path of a picture that the project ships.</summary>
    public static string Sample(string name) => Path.Combine(Root, "docs", "sample", name);

    /// <summary>Another one, 900 pixels wide and 600 high.</summary>
    public static string WideImage => Path.Combine(Root, "docs", "sample", "smear-wide.jpg");

    /// <summary>A folder that has one of the committed packages in it, beside the tests' own files.</summary>
    private static string Alone(string model)
    {
        var folder = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "alone", model)).FullName;
        var package = Path.Combine(folder, model);
        if (!Directory.Exists(package))
        {
            Directory.CreateSymbolicLink(package, Path.Combine(Models, model));
        }

        return folder;
    }
}
