namespace Fpn.Testing.Goldens;

/// <summary>The repository that the tests were built in.</summary>
internal static class RepositoryFolder
{
    /// <summary>Its full path, found from the place of the tests' own assembly below it.</summary>
    public static string Root { get; } = FindRoot();

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
