using System.Globalization;
using System.Text.Json;
using Fpn.Models.Loading;
using Fpn.Models.Packages;
using Fpn.Service.Bodies;
using Fpn.Service.Compatibility.Door;
using Fpn.Service.Json;
using Fpn.Service.Problems;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Compatibility.SageMaker;

/// <summary>The models of a multi-model endpoint, which SageMaker loads, lists and unloads.</summary>
internal sealed class MultiModelEndpoints(
    ContractDoor door, GivenPackages packages, LaneRegistry lanes, CompatibilityOptions options)
{
    private const int LongestName = 256;
    private const int LongestPath = 4096;

    private readonly string _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(options.SageMaker.Models));

    /// <summary>Loads a package; answers once it serves.</summary>
    public Task<Outcome<JsonAnswer>> LoadAsync(HttpContext context) =>
        door.ReadJsonAsync(context).UseAsync(body => LoadAsync(body));

    /// <summary>Lists the models that are served, by name, a page at a time if the query has a limit.</summary>
    public Outcome<JsonAnswer> List(IQueryCollection query)
    {
        var (limit, after) = (int.MaxValue, (string?)query["next_page_token"]);
        if (query["limit"] is { Count: > 0 } text
            && (!int.TryParse((string?)text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit == 0))
        {
            return Problem.BadParameter("limit", "Must be a whole number, at least 1.");
        }

        var names = lanes.Names.Order(StringComparer.Ordinal)
            .SkipWhile(name => after is not null && string.CompareOrdinal(name, after) <= 0)
            .Take((int)Math.Min(limit + 1L, int.MaxValue))
            .ToList();
        return new JsonAnswer(json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("models"u8);
            foreach (var name in names.Take(limit))
            {
                Write(json, name);
            }

            json.WriteEndArray();
            if (names.Count > limit)
            {
                json.WriteString("nextPageToken"u8, names[limit - 1]);
            }

            json.WriteEndObject();
        });
    }

    /// <summary>Describes a model that is served.</summary>
    public Outcome<JsonAnswer> Get(string model) => lanes.Names.Contains(model, StringComparer.Ordinal)
        ? new JsonAnswer(json => Write(json, model))
        : Problem.UnknownModel(model, lanes.Names);

    /// <summary>Unloads a model; answers once its last request is answered, after which its memory is free.</summary>
    public async Task<Outcome<JsonAnswer>> UnloadAsync(string model, CancellationToken cancellationToken)
    {
        var known = lanes.Names;
        var lane = lanes.Lanes.FirstOrDefault(served => served.Model.Contract.Name == model);
        if (lane is null || !await lanes.UnloadAsync(model))
        {
            return Problem.UnknownModel(model, known);
        }

        packages.Remove(model);
        await lane.Unused.WaitAsync(cancellationToken);
        return Empty();
    }

    private async Task<Outcome<JsonAnswer>> LoadAsync(ImageBody body)
    {
        string? name = null, url = null;
        var problem = JsonBody.Read(body.Bytes.Span, (ref JsonObjectReader json, string? member) =>
        {
            switch (member)
            {
                case "model_name":
                    name = json.Text(LongestName);
                    break;
                case "url":
                    url = json.Text(LongestPath);
                    break;
            }

            json.Skip();
            return null;
        });
        problem ??= CheckName(name) ?? CheckFolder(url);
        return problem is not null ? problem : await LoadAsync(name!, Path.GetFullPath(url!));
    }

    private async Task<Outcome<JsonAnswer>> LoadAsync(string name, string folder)
    {
        if (!packages.TryAdd(name, folder))
        {
            return NotLoaded(StatusCodes.Status409Conflict, $"The model '{name}' is loaded, or is being loaded.");
        }

        var failure = "it did not end";
        try
        {
            failure = await lanes.LoadAsync(name);
        }
        finally
        {
            if (failure is not null)
            {
                packages.Remove(name);
            }
        }

        return failure is null ? Empty() : NotLoaded(
            MemoryShortage.IsReason(failure)
                ? StatusCodes.Status507InsufficientStorage
                : StatusCodes.Status400BadRequest,
            $"Failed to load '{name}': {failure}");
    }

    private static Problem? CheckName(string? name) => name is { Length: > 0 } && ModelManifestReader.CanName(name)
        ? null
        : Problem.BadParameter("model_name", $"It {ModelManifestReader.NameRule}.");

    /// <summary>Checks a path by its text, before anything on the disk is looked at.</summary>
    private Problem? CheckFolder(string? url)
    {
        // A path with a null character is none at all.
        var folder = url is null || !Path.IsPathRooted(url) || url.Contains('\0', StringComparison.Ordinal)
            ? string.Empty
            : Path.GetFullPath(url);
        return !folder.StartsWith(_root + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? Problem.BadParameter("url", $"Must be the path of a folder below '{_root}'.")
            : Directory.Exists(folder)
                ? null
            : NotLoaded(StatusCodes.Status404NotFound, $"There is no folder '{folder}'.") with { Parameter = "url" };
    }

    private static Problem NotLoaded(int status, string detail) =>
        Problem.ModelNotLoaded(detail) with { Status = status };

    private static JsonAnswer Empty() => new(json =>
    {
        json.WriteStartObject();
        json.WriteEndObject();
    });

    private void Write(Utf8JsonWriter json, string name)
    {
        json.WriteStartObject();
        json.WriteString("modelName"u8, name);
        json.WriteString("modelUrl"u8, packages.FindFolder(name));
        json.WriteEndObject();
    }
}
