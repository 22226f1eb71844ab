using System.Security.Cryptography;
using System.Text;
using Fpn.Settings;

namespace Fpn.Service.Security;

/// <summary>Reads keys from all places in which they are configured.</summary>
/// <param name="options">Names the places.</param>
/// <param name="contentRoot">The folder that relative paths start from.</param>
internal sealed class KeySource(KeyOptions options, string contentRoot)
{
    private const int LargestFile = 4 << 20;

    /// <summary>Reads all places.</summary>
    /// <param name="seen">Digest of the content that was read before; replaced.</param>
    /// <returns>All keys, or null when nothing has changed.</returns>
    /// <exception cref="SettingsException">A place cannot be read, or its content is not a list of keys.</exception>
    /// <remarks>
    /// The content decides, not dates: mounted secrets are swapped behind symbolic links, and a file may change twice
    /// within the tick of a date. Files are small, and read whole.
    /// </remarks>
    public IReadOnlyList<KeyEntry>? ReadIfChanged(ref byte[] seen)
    {
        var texts = new List<(string Source, byte[] Utf8)>();
        try
        {
            if (options.Json is { } json)
            {
                texts.Add(("Setting 'Fpn:Keys:Json'", Encoding.UTF8.GetBytes(json)));
            }

            foreach (var file in Files())
            {
                texts.Add((file, ReadFile(file)));
            }

            var digest = Digest(texts);
            if (digest.AsSpan().SequenceEqual(seen))
            {
                return null;
            }

            // Set even when the content is refused below: the same wrong content needs no second message.
            seen = digest;
            return Merge(texts);
        }
        finally
        {
            texts.ForEach(text => CryptographicOperations.ZeroMemory(text.Utf8));
        }
    }

    private static byte[] Digest(List<(string Source, byte[] Utf8)> texts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (source, utf8) in texts)
        {
            hash.AppendData(SHA256.HashData(Encoding.UTF8.GetBytes(source)));
            hash.AppendData(SHA256.HashData(utf8));
        }

        return hash.GetHashAndReset();
    }

    private static List<KeyEntry> Merge(List<(string Source, byte[] Utf8)> texts)
    {
        var keys = new List<KeyEntry>();
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        var digests = new Dictionary<string, string>();
        foreach (var (source, utf8) in texts)
        {
            foreach (var key in KeyListReader.Read(utf8, source))
            {
                if (!names.Add(key.Name))
                {
                    throw new SettingsException($"{source}: the name '{key.Name}' is given twice.");
                }

                if (!digests.TryAdd(Convert.ToHexString(key.Digest), key.Name))
                {
                    var other = digests[Convert.ToHexString(key.Digest)];
                    throw new SettingsException($"{source}: '{key.Name}' and '{other}' have the same key.");
                }

                keys.Add(key);
            }
        }

        return keys;
    }

    private string[] Files()
    {
        if (options.File is null)
        {
            return [];
        }

        var path = Path.Combine(contentRoot, options.File);
        try
        {
            string[] files = Directory.Exists(path)
                ? [.. Directory.EnumerateFiles(path, "*.json").Order(StringComparer.Ordinal)]
                : [path];
            return files.Length > 0
                ? files
                : throw new SettingsException(
                    $"Setting 'Fpn:Keys:File' names the folder '{path}', which holds no *.json file.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"Setting 'Fpn:Keys:File': {exception.Message}", exception);
        }
    }

    private static byte[] ReadFile(string file)
    {
        try
        {
            using var stream = File.OpenRead(file);
            var length = stream.Length;
            if (length > LargestFile)
            {
                throw new SettingsException($"{file}: is longer than {LargestFile} bytes, the most for keys.");
            }

            var bytes = new byte[length];
            stream.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"Setting 'Fpn:Keys:File': {exception.Message}", exception);
        }
    }
}
