using System.Text.Json;

namespace Fpn.Testing.Goldens;

/// <summary>Where the goldens and the shared data are.</summary>
internal static class GoldenFolder
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>tests/Golden.</summary>
    public static string Root { get; } = Path.Combine(RepositoryFolder.Root, "tests", "Golden");

    /// <summary>A path in tests/Golden.</summary>
    public static string At(params ReadOnlySpan<string> parts) => Path.Combine([Root, .. parts]);

    /// <summary>Reads a file of tests/Golden; property names in camel case.</summary>
    /// <exception cref="InvalidDataException">The file holds <c>null</c>.</exception>
    public static T ReadJson<T>(params ReadOnlySpan<string> parts)
    {
        var path = At(parts);
        return JsonSerializer.Deserialize<T>(File.ReadAllText(path), Json) ?? throw new InvalidDataException(
            $"{path} holds null.");
    }

    /// <summary>A path in the shared data: the folder named by FPN_SHARED, or <c>shared</c> beside the
    /// repository.</summary>
    /// <remarks>Where it is absent the test is skipped with the path in the reason, but fails under CI=true.</remarks>
    public static string RequireShared(params ReadOnlySpan<string> parts)
    {
        var root = Environment.GetEnvironmentVariable("FPN_SHARED") is { Length: > 0 } named
            ? Path.GetFullPath(named, RepositoryFolder.Root)
            : Path.GetFullPath(Path.Combine(RepositoryFolder.Root, "..", "shared"));
        var path = Path.Combine([root, .. parts]);
        if (!Path.Exists(path))
        {
            var reason = $"The shared data is absent: {path} does not exist (FPN_SHARED names the folder).";
            if (string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase))
            {
                Assert.Fail(reason);
            }

            Assert.Skip(reason);
        }

        return path;
    }

    /// <summary>The names of the folders in a folder of tests/Golden, in order: one test a name.</summary>
    public static TheoryData<string> CasesIn(params ReadOnlySpan<string> parts) =>
        [.. Directory.GetDirectories(At(parts)).Select(folder => Path.GetFileName(folder))
            .Order(StringComparer.Ordinal)];
}
