using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fpn.Models.Packages;

/// <summary>Reads a package's <c>model.json</c>. Unknown names are errors, and every message names file and
/// key.</summary>
internal static class ModelManifestReader
{
    /// <summary>Name of the manifest in a package.</summary>
    public const string FileName = "model.json";

    /// <summary>Beginnings of the place in the framework's messages: lines counted from 0, bytes, and a path.</summary>
    private static readonly SearchValues<string> MessagePlaces =
        SearchValues.Create([" Path: ", " LineNumber: "], StringComparison.Ordinal);

    private static readonly JsonSerializerOptions JsonOptions = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
    };

    /// <summary>Continues a sentence about a name for which <see cref="CanName"/> is false.</summary>
    public const string NameRule = "must be a name that a path can hold: without slashes, and not '.' or '..'";

    /// <summary>Whether a text can name a model, as the name of a folder can.</summary>
    public static bool CanName(string name) =>
        name is not ("." or "..") && name.AsSpan().IndexOfAny('/', '\\') < 0 && !name.Any(char.IsControl);

    /// <summary>Reads and checks the manifest of a package in a folder of models.</summary>
    /// <param name="folder">The package's folder.</param>
    /// <param name="model">Name of the model's folder: the package's own, or the one around its versions.</param>
    /// <exception cref="ModelPackageException">The manifest is missing or wrong.</exception>
    public static ModelContract Read(string folder, string model)
    {
        var contract = ReadAlone(folder);
        new ManifestCheck(Path.Combine(folder, FileName)).That(
            contract.Name == model, "name", $"must be the name of its folder, '{model}'; it is '{contract.Name}'");
        return contract;
    }

    /// <summary>Reads and checks the manifest of a package that stands alone.</summary>
    /// <param name="folder">The package's folder, whose name says nothing.</param>
    /// <exception cref="ModelPackageException">The manifest is missing or wrong.</exception>
    public static ModelContract ReadAlone(string folder)
    {
        var file = Path.Combine(folder, FileName);
        ModelManifest? manifest;
        try
        {
            using var stream = File.OpenRead(file);
            manifest = JsonSerializer.Deserialize<ModelManifest>(stream, JsonOptions);
        }
        catch (JsonException exception)
        {
            var key = exception.Path is { Length: > 2 } path && path.StartsWith("$.", StringComparison.Ordinal)
                ? $" key '{path[2..]}':"
                : string.Empty;
            throw new ModelPackageException($"{file}:{key} {Reason(exception)}", exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ModelPackageException($"{file}: cannot be read: {exception.Message}", exception);
        }

        return manifest is null
            ? throw new ModelPackageException($"{file}: must be an object.")
            : ManifestResolver.Resolve(manifest, new ManifestCheck(file), folder);
    }

    private static string Reason(JsonException exception)
    {
        const string Unmapped = "could not be mapped to any .NET member";
        if (exception.Message.Contains(Unmapped, StringComparison.Ordinal))
        {
            return "is unknown.";
        }

        var line = exception.LineNumber is { } number
            ? string.Create(CultureInfo.InvariantCulture, $" (line {number + 1})")
            : string.Empty;

        // Text that is not JSON at all is reported by the reader below, in its own words.
        var message = exception.InnerException switch
        {
            null => exception.Message,
            JsonException syntax => $"is not valid JSON: {syntax.Message}",
            _ => "has a value of the wrong type.",
        };
        var end = message.AsSpan().IndexOfAny(MessagePlaces);
        return (end < 0 ? message : message[..end]) + line;
    }
}
