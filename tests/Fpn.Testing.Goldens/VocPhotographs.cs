using System.Formats.Tar;
using System.Text.Json;

namespace Fpn.Testing.Goldens;

/// <summary>What is annotated in a photograph.</summary>
/// <param name="Label">The class.</param>
/// <param name="Box">x1, y1, x2, y2.</param>
/// <param name="Difficult">Whether finding it counts neither way.</param>
internal sealed record VocObject(string Label, double[] Box, bool Difficult);

/// <summary>The photographs of Pascal VOC in the shared data, and what is annotated in them.</summary>
internal sealed class VocPhotographs
{
    /// <summary>Objects with a shorter side are none, as in models/train.</summary>
    private const double LeastSide = 2;

    private static readonly Lazy<VocPhotographs> s_all = new(() => new VocPhotographs());

    private readonly Dictionary<string, (string Tar, long Offset, int Length)> _places = [];
    private readonly Dictionary<string, VocObject[]> _objects = [];

    private VocPhotographs()
    {
        var folder = GoldenFolder.RequireShared("data", "voc2007");
        foreach (var tar in Directory.GetFiles(folder, "images-*.tar"))
        {
            using var reader = new TarReader(File.OpenRead(tar));
            while (reader.GetNextEntry() is { } entry)
            {
                if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile)
                {
                    _places[Path.GetFileNameWithoutExtension(entry.Name)] = (tar, entry.DataOffset, (int)entry.Length);
                }
            }
        }

        using var annotations = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "annotations.json")));
        foreach (var photograph in annotations.RootElement.EnumerateObject())
        {
            if (photograph.Value.GetProperty("split").GetString() == "val")
            {
                _objects[photograph.Name] = [.. photograph.Value.GetProperty("objects").EnumerateArray().Select(Parse)
                    .Where(item => Math.Min(item.Box[2] - item.Box[0], item.Box[3] - item.Box[1]) >= LeastSide)];
            }
        }
    }

    /// <summary>Ids of the validation photographs, in order.</summary>
    public IReadOnlyList<string> Validation => [.. _objects.Keys.Order(StringComparer.Ordinal)];

    /// <summary>All of them; skips the test where the shared data is absent.</summary>
    public static VocPhotographs Require()
    {
        GoldenFolder.RequireShared("data", "voc2007", "annotations.json");
        return s_all.Value;
    }

    /// <summary>The encoded photograph.</summary>
    public byte[] Read(string id)
    {
        var (tar, offset, length) = _places[id];
        using var file = File.OpenRead(tar);
        file.Position = offset;
        var bytes = new byte[length];
        file.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>What is annotated in a validation photograph.</summary>
    public IReadOnlyList<VocObject> Objects(string id) => _objects[id];

    private static VocObject Parse(JsonElement item) => new(
        item[0].GetString()!, [.. Enumerable.Range(1, 4).Select(i => item[i].GetDouble())], item[5].GetInt32() != 0);
}
