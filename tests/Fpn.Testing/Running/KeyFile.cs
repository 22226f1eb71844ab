namespace Fpn.Testing.Running;

/// <summary>A file of API keys; deleted at the end.</summary>
internal sealed class KeyFile : IDisposable
{
    /// <summary>A key that may detect.</summary>
    public const string Alice = "alice-5f2c9e7d41b8a063";

    /// <summary>Another key.</summary>
    public const string Bob = "bob-c0ffee8841d7e92a6b";

    private readonly string _folder = Directory.CreateTempSubdirectory("fpn-keys-").FullName;

    /// <summary>Makes the file.</summary>
    /// <param name="entries">Objects of the list, as JSON.</param>
    public KeyFile(params string[] entries) => Write(entries);

    /// <summary>The file.</summary>
    public string Path => System.IO.Path.Combine(_folder, "keys.json");

    /// <summary>The folder that holds it alone.</summary>
    public string Folder => _folder;

    /// <summary>One entry of the list.</summary>
    /// <param name="name">The key's name.</param>
    /// <param name="key">The key.</param>
    /// <param name="more">Members beside the scope <c>detect</c>, or instead of it.</param>
    public static string Entry(string name, string key, string more = """ "scopes": ["detect"] """) =>
        $$"""{ "name": "{{name}}", "key": "{{key}}", {{more}} }""";

    /// <summary>Replaces the keys, at once for every reader.</summary>
    public void Write(params string[] entries) => WriteText($"[{string.Join(",\n", entries)}]");

    /// <summary>Replaces the content, at once for every reader.</summary>
    public void WriteText(string text)
    {
        var fresh = System.IO.Path.Combine(_folder, "fresh");
        File.WriteAllText(fresh, text);
        File.Move(fresh, Path, overwrite: true);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
