using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests.Packaging;

/// <summary>Documents point to what exists: files, headings, and the sources that they name.</summary>
public sealed class DocumentLinkTests
{
    private static readonly string[] Skipped = ["node_modules", "bin", "obj", "artifacts", ".git"];

    public static TheoryData<string> Documents =>
        [.. FilesBelow(Checkout.Root).Select(file => Path.GetRelativePath(Checkout.Root, file))];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Document_LinksAndFileNames_Exist(string document)
    {
        var path = Path.Combine(Checkout.Root, document);
        Assert.Empty(new DocumentPage(path, File.ReadAllText(path)).FindBroken(Checkout.Root));
    }

    [Fact]
    public void FindBroken_EveryKindOfPointer_IsChecked()
    {
        const string text = """
            # A page: `code`, and more

            [here](#a-page-code-and-more) [there](#nowhere) [file](README.md#highlights)
            [no anchor](README.md#gone)
            [no file](gone.md) [outside](https://example.com/gone.md) ![picture](docs/gone.webp) <img src="gone.jpg">
            `src/Fpn.Imaging` `src/Fpn.Gone/Gone.cs` `src/Fpn.Gone is not a path` `models/pets`

            [reference]: gone-too.md

            ```
            [in a block](gone.md) `src/Gone.cs`
            ```
            """;

        Assert.Equal(
            [
                "#nowhere", "README.md#gone", "gone.md", "docs/gone.webp", "gone.jpg", "gone-too.md",
                "src/Fpn.Gone/Gone.cs",
            ],
            new DocumentPage(Path.Combine(Checkout.Root, "made.md"), text).FindBroken(Checkout.Root));
    }

    /// <summary>Markdown files; what was built, installed or linked to does not count.</summary>
    private static IEnumerable<string> FilesBelow(string folder) => Directory.EnumerateFiles(folder, "*.md").Concat(
        Directory.EnumerateDirectories(folder)
            .Where(child => !Skipped.Contains(Path.GetFileName(child)) && new DirectoryInfo(child).LinkTarget is null)
            .SelectMany(FilesBelow));
}
