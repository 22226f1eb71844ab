using System.Globalization;
using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests;

/// <summary>The objects of deploy/kubernetes, built by kustomize and held against the published schemas.</summary>
internal static class Manifests
{
    private static readonly string Checks = Path.Combine(Checkout.Root, "tests", "Deployment");

    private static readonly Lazy<Task<IReadOnlyDictionary<string, JsonElement[]>>> All = new(BuildAllAsync);

    /// <summary>The folder of the manifests.</summary>
    public static string Folder { get; } = Path.Combine(Checkout.Root, "deploy", "kubernetes");

    /// <summary>The overlays.</summary>
    public static IReadOnlyList<string> Overlays { get; } = ["cpu", "cpu-hpa", "cpu-keda", "gpu", "gpu-keda"];

    /// <summary>What stands beside the overlays: KServe's objects, and the example of Secrets.</summary>
    public static IReadOnlyList<string> Others { get; } = ["kserve", "components/api-keys/secrets.example.yaml"];

    /// <summary>The objects of an overlay, or of one of <see cref="Others"/>.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The objects, in the order in which they are applied.</returns>
    public static async Task<JsonElement[]> OfAsync(string name)
    {
        SkipWithoutPrograms();
        return (await All.Value)[name];
    }

    /// <summary>Checks folders and files.</summary>
    /// <param name="paths">Kustomizations, which are built, and files, which are read.</param>
    /// <returns>The objects of each path, and what is wrong: nothing when all is well.</returns>
    public static async Task<(IReadOnlyDictionary<string, JsonElement[]> Objects, string Errors)> CheckAsync(
        params string[] paths)
    {
        SkipWithoutPrograms();
        var (exitCode, output, errors) = await ProgramRun.RunAsync(Checks, "node", ["manifests.mjs", .. paths]);
        if (exitCode == 0)
        {
            return (JsonSerializer.Deserialize<Dictionary<string, JsonElement[]>>(output)!, string.Empty);
        }

        Assert.NotEqual(string.Empty, errors);
        return (new Dictionary<string, JsonElement[]>(), errors);
    }

    /// <summary>Reads a file of YAML that is not Kubernetes'.</summary>
    /// <param name="path">The file.</param>
    public static async Task<JsonElement> ReadYamlAsync(string path)
    {
        SkipWithoutPrograms();
        const string Program = """
            import { readFileSync } from "node:fs";
            import { parse } from "yaml";
            console.log(JSON.stringify(parse(readFileSync(process.argv[1], "utf8"))));
            """;
        var (exitCode, output, errors) = await ProgramRun.RunAsync(
            Checks, "node", "--input-type=module", "--eval", Program, path);
        Assert.True(exitCode == 0, errors);
        return JsonDocument.Parse(output).RootElement;
    }

    /// <summary>Checks overlays/cpu with components.</summary>
    /// <param name="components">Names of components.</param>
    /// <returns>The objects, and what is wrong: nothing when all is well.</returns>
    public static async Task<(JsonElement[] Objects, string Errors)> ComposeAsync(params string[] components)
    {
        // Below the repository, since kustomize takes relative paths only.
        var folder = Path.Combine(Checks, "generated", Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(folder);
        try
        {
            const string Up = "../../../../deploy/kubernetes";
            var added = string.Join(", ", components.Select(name => $"{Up}/components/{name}"));
            await File.WriteAllTextAsync(
                Path.Combine(folder, "kustomization.yaml"),
                $"resources: [{Up}/overlays/cpu]\ncomponents: [{added}]\n",
                TestContext.Current.CancellationToken);
            var (objects, errors) = await CheckAsync(folder);
            return (objects.GetValueOrDefault(folder, []), errors);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The one object of a kind.</summary>
    public static JsonElement Single(this IEnumerable<JsonElement> objects, string kind) =>
        Assert.Single(objects, item => item.Text("kind") == kind);

    /// <summary>Whether there is an object of a kind.</summary>
    public static bool Has(this IEnumerable<JsonElement> objects, string kind) =>
        objects.Any(item => item.Text("kind") == kind);

    /// <summary>A member of a member …; numbers are places in arrays.</summary>
    /// <param name="element">Where to begin.</param>
    /// <param name="path">Names, separated by '/'.</param>
    public static JsonElement At(this JsonElement element, string path) => path.Split('/').Aggregate(
        element,
        (item, name) => item.ValueKind == JsonValueKind.Array ? item[int.Parse(name, CultureInfo.InvariantCulture)]
        : item.TryGetProperty(name, out var member) ? member
        : throw new InvalidOperationException($"No '{name}' of '{path}' in {item}."));

    /// <summary>A text below an element; see <see cref="At"/>.</summary>
    public static string Text(this JsonElement element, string path) => element.At(path).GetString()!;

    /// <summary>The pods of the Deployment: their specification.</summary>
    public static JsonElement Pod(this IEnumerable<JsonElement> objects) =>
        objects.Single("Deployment").At("spec/template/spec");

    private static void SkipWithoutPrograms() => Assert.SkipUnless(
        Directory.Exists(Path.Combine(Checks, "node_modules")),
        "tests/Deployment/node_modules is absent: test.sh installs it.");

    private static async Task<IReadOnlyDictionary<string, JsonElement[]>> BuildAllAsync()
    {
        var paths = Overlays.ToDictionary(name => name, name => Path.Combine(Folder, "overlays", name));
        foreach (var name in Others)
        {
            paths.Add(name, Path.Combine(Folder, name));
        }

        var (objects, errors) = await CheckAsync([.. paths.Values]);
        Assert.Equal(string.Empty, errors);
        return paths.ToDictionary(path => path.Key, path => objects[path.Value]);
    }
}
