using System.Text;
using System.Text.RegularExpressions;

namespace Fpn.Deployment.Tests.Packaging;

/// <summary>One Markdown file: its anchors, and the places in the repository that it points to.</summary>
internal sealed partial class DocumentPage
{
    private readonly string _path;
    private readonly string _text;

    /// <summary>Takes a page.</summary>
    /// <param name="path">Absolute path of the file.</param>
    /// <param name="text">Its content.</param>
    public DocumentPage(string path, string text)
    {
        _path = path;
        _text = FencedBlock().Replace(text, string.Empty);
        Anchors = Heading().Matches(_text).Select(match => AnchorFor(match.Groups[1].Value)).ToHashSet();
    }

    /// <summary>The anchors of its headings, as GitHub makes them.</summary>
    public IReadOnlySet<string> Anchors { get; }

    /// <summary>Lists what does not exist.</summary>
    /// <param name="root">The repository's folder, which names in code spans are relative to.</param>
    /// <returns>Targets of links, and names of files and folders in code spans, as they are written.</returns>
    public IEnumerable<string> FindBroken(string root) => Links()
        .Where(target => !LinkExists(target))
        .Concat(NamedFiles().Where(name => !Exists(Path.Combine(root, name))));

    private IEnumerable<string> Links() => Link().Matches(_text)
        .Select(match => match.Groups.Values.Skip(1).First(group => group.Success).Value)
        .Where(target => !HasScheme().IsMatch(target));

    private IEnumerable<string> NamedFiles() => NamedFile().Matches(_text).Select(match => match.Groups[1].Value);

    private bool LinkExists(string target)
    {
        var parts = target.Split('#', 2);
        if (parts[0].Length == 0)
        {
            return Anchors.Contains(parts[1]);
        }

        var file = Path.Combine(Path.GetDirectoryName(_path)!, parts[0]);
        return Exists(file)
            && (parts.Length == 1
                || !file.EndsWith(".md", StringComparison.Ordinal)
                || new DocumentPage(file, File.ReadAllText(file)).Anchors.Contains(parts[1]));
    }

    private static bool Exists(string path) => File.Exists(path) || Directory.Exists(path);

    /// <summary>Lower case, without punctuation, hyphens for spaces.</summary>
    private static string AnchorFor(string heading)
    {
        var anchor = new StringBuilder();
        foreach (var letter in heading.Trim().ToLowerInvariant())
        {
            if (char.IsLetterOrDigit(letter) || letter is '-' or '_' or ' ')
            {
                anchor.Append(letter == ' ' ? '-' : letter);
            }
        }

        return anchor.ToString();
    }

    [GeneratedRegex("^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex FencedBlock();

    [GeneratedRegex("^#{1,6} (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    /// <summary>Inline links and pictures, definitions of reference links, pictures in HTML.</summary>
    [GeneratedRegex("""\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)|<img src="([^"]+)""", RegexOptions.Multiline)]
    private static partial Regex Link();

    [GeneratedRegex("^[a-z][a-z0-9+.-]*:")]
    private static partial Regex HasScheme();

    /// <summary>A code span that is nothing but the path of a file or folder of the repository.</summary>
    [GeneratedRegex("`((?:src|tests|benchmarks|docs|deploy|docker|build)/[A-Za-z0-9_./-]+)`")]
    private static partial Regex NamedFile();
}
