using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests.Architecture;

/// <summary>The sources stay readable: short lines everywhere, and short files and small folders in the
/// product.</summary>
public sealed class SourceTests
{
    private const int LongestFile = 300;
    private const int LongestLine = 120;
    private const int MostFiles = 20;

    /// <summary>Every C# file of the product with its lines.</summary>
    private static readonly Lazy<IReadOnlyList<(string File, string[] Lines)>> Sources = new(() =>
    [
        .. FilesBelow("src").Select(file => (file, File.ReadAllLines(Path.Combine(Checkout.Root, file)))),
    ]);

    [Fact]
    public void Files_InSrc_AreShort()
    {
        Assert.Empty(Sources.Value.Where(source => source.Lines.Length > LongestFile).Select(source => source.File));
        int[] lengths = [.. Sources.Value.Select(source => source.Lines.Length).Order()];
        Assert.InRange(lengths[lengths.Length / 2], 1, 70);
        Assert.InRange(lengths[lengths.Length * 9 / 10], 1, 200);
    }

    [Fact]
    public void Lines_InAllSources_FitIn120Columns() => Assert.Empty(
        FilesBelow("src", "samples", "tests", "benchmarks").SelectMany(file =>
            File.ReadLines(Path.Combine(Checkout.Root, file))
                .Select((line, index) => (Name: $"{file}:{index + 1}", line.Length))
                .Where(line => line.Length > LongestLine)
                .Select(line => line.Name)));

    [Fact]
    public void Folders_InSrc_AreSmall() => Assert.Empty(
        Sources.Value.CountBy(source => Path.GetDirectoryName(source.File)!)
            .Where(folder => folder.Value > MostFiles)
            .Select(folder => $"{folder.Key}: {folder.Value} files"));

    /// <summary>C# files below folders of the repository, relative to its root; what was built does not
    /// count.</summary>
    private static IEnumerable<string> FilesBelow(params string[] folders) => folders
        .Select(folder => Path.Combine(Checkout.Root, folder))
        .Where(Directory.Exists)
        .SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
        .Select(file => Path.GetRelativePath(Checkout.Root, file))
        .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin" or "node_modules"));
}
