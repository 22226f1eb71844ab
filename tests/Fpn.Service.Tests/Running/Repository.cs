namespace Fpn.Service.Tests.Running;

/// <summary>Where the repository's files are, found from the test's own place below it.</summary>
internal static class Repository
{
    /// <summary>The repository's folder.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The committed model packages.</summary>
    public static string Models => Path.Combine(Root, "models");

    /// <summary>A picture that the project ships.</summary>
    public static string SampleImage => Path.Combine(Root, "docs", "sample", "smear.jpg");

    /// <summary>Another one, 900 pixels wide and 600 high.</summary>
    public static string WideImage => Path.Combine(Root, "docs", "sample", "smear-wide.jpg");

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Fpn.Service.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No Fpn.Service.sln above {AppContext.BaseDirectory}.");
    }
}
