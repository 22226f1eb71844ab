using System.Security.Cryptography;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Net.Http.Headers;

namespace Fpn.Service.Explorer;

/// <summary>A file of the page.</summary>
/// <param name="Bytes">Its content.</param>
/// <param name="ContentType">Value of the header.</param>
/// <param name="Tag">Changes with the content, so that a browser loads a file only once.</param>
internal sealed record ExplorerAsset(ReadOnlyMemory<byte> Bytes, string ContentType, EntityTagHeaderValue Tag);

/// <summary>
/// The files of the page, which the assembly holds: the build of <c>src/Fpn.Explorer</c>, and the sample images.
/// </summary>
internal sealed class ExplorerAssets
{
    /// <summary>Prefix of the names of the page's own files in the assembly.</summary>
    public const string PagePrefix = "explorer/";

    /// <summary>Prefix of the names of the sample images in the assembly.</summary>
    public const string SamplePrefix = "explorer-samples/";

    private static readonly FileExtensionContentTypeProvider ContentTypes = new();

    private ExplorerAssets(
        ExplorerAsset page,
        IReadOnlyDictionary<string, ExplorerAsset> files,
        IReadOnlyDictionary<string, ExplorerAsset> samples)
    {
        Page = page;
        Files = files;
        Samples = samples;
    }

    /// <summary>The document.</summary>
    public ExplorerAsset Page { get; }

    /// <summary>The files that the document refers to, by name; each name changes with its content.</summary>
    public IReadOnlyDictionary<string, ExplorerAsset> Files { get; }

    /// <summary>The sample images by model and file name: <c>everyday/cat.jpg</c>.</summary>
    public IReadOnlyDictionary<string, ExplorerAsset> Samples { get; }

    /// <summary>Reads all files from the assembly.</summary>
    /// <exception cref="InvalidOperationException">The build left the page out.</exception>
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
        var names = assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(prefix, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);
        foreach (var name in names)
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            using var copy = new MemoryStream();
            stream.CopyTo(copy);
            assets[name[prefix.Length..]] = Create(name, copy.ToArray());
        }

        return assets;
    }

    private static ExplorerAsset Create(string name, byte[] bytes)
    {
        var type = ContentTypes.TryGetContentType(name, out var known) ? known : "application/octet-stream";
        return new ExplorerAsset(
            bytes,
            type.StartsWith("text/", StringComparison.Ordinal) ? $"{type}; charset=utf-8" : type,
            new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes), 0, 16)}\""));
    }
}
