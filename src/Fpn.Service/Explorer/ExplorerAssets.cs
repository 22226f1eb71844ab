using System.Security.Cryptography;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Net.Http.Headers;

namespace Fpn.Service.Explorer;

/// <summary>A file of the page.</summary>
/// <param name="Bytes">Its content.</param>
/// <param name="ContentType">Value of the header.</param>
/// <param name="Tag">Follows from the content, so that a browser asks for a file only once.</param>
internal sealed record ExplorerAsset(ReadOnlyMemory<byte> Bytes, string ContentType, EntityTagHeaderValue Tag);

/// <summary>The page's files, which the assembly holds: <c>src/Fpn.Explorer</c> as it was built, and the sample images.</summary>
internal sealed class ExplorerAssets
{
    /// <summary>What the names of the page's own files begin with in the assembly.</summary>
    public const string PagePrefix = "explorer/";

    /// <summary>What the names of the sample images begin with in the assembly.</summary>
    public const string SamplePrefix = "explorer-samples/";

    private static readonly FileExtensionContentTypeProvider ContentTypes = new();

    private ExplorerAssets(ExplorerAsset page, IReadOnlyDictionary<string, ExplorerAsset> files, IReadOnlyDictionary<string, ExplorerAsset> samples)
    {
        Page = page;
        Files = files;
        Samples = samples;
    }

    /// <summary>The document.</summary>
    public ExplorerAsset Page { get; }

    /// <summary>What the document refers to, by file name; each name changes with its content.</summary>
    public IReadOnlyDictionary<string, ExplorerAsset> Files { get; }

    /// <summary>The sample images by the model that they are for and file name: <c>everyday/cat.jpg</c>.</summary>
    public IReadOnlyDictionary<string, ExplorerAsset> Samples { get; }

    /// <summary>Reads all files from the assembly.</summary>
    /// <exception cref="InvalidOperationException">The page is not there: the build left it out.</exception>
    public static ExplorerAssets Load()
    {
        var files = Read(PagePrefix);
        return files.Remove("index.html", out var page)
            ? new ExplorerAssets(page, files, Read(SamplePrefix))
            : throw new InvalidOperationException("The explorer page is missing from the assembly.");
    }

    private static Dictionary<string, ExplorerAsset> Read(string prefix)
    {
        var assembly = typeof(ExplorerAssets).Assembly;
        var assets = new Dictionary<string, ExplorerAsset>(StringComparer.Ordinal);
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            assets[name[prefix.Length..]] = Of(name, copy.ToArray());
        }

        return assets;
    }

    private static ExplorerAsset Of(string name, byte[] bytes)
    {
        var type = ContentTypes.TryGetContentType(name, out var known) ? known : "application/octet-stream";
        return new ExplorerAsset(
            bytes,
            type.StartsWith("text/", StringComparison.Ordinal) ? $"{type}; charset=utf-8" : type,
            new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes), 0, 16)}\""));
    }
}
