using System.Security.Cryptography;
using System.Text;
using Fpn.Settings;

namespace Fpn.Service.Security;

/// <summary>Reads the places that keys are configured in.</summary>
/// <param name="options">Which they are.</param>
/// <param name="contentRoot">What relative paths begin at.</param>
internal sealed class KeySource(KeyOptions options, string contentRoot)
{
    private const int LargestFile = 4 << 20;

    /// <summary>Reads all places.</summary>
    /// <param name="seen">A digest of what was read; replaced.</param>
    /// <returns>All keys, or null when everything is as it was.</returns>
    /// <exception cref="SettingsException">A place cannot be read, or what it holds is no list of keys.</exception>
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

            // Also when the content is refused below: the same wrong content is not worth a second message.
            seen = digest;
            return Together(texts);
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

    private static List<KeyEntry> Together(List<(string Source, byte[] Utf8)> texts)
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
                : throw new SettingsException($"Setting 'Fpn:Keys:File' names the folder '{path}', which holds no *.json file.");
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
