using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Fpn.Service.Bodies;
using Fpn.Service.Problems;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Repository;

/// <summary>
/// The model repository extension of the Open Inference Protocol: which packages there are, and loading, loading again
/// and unloading them.
/// </summary>
/// <remarks>
/// The name of a model is looked up among the folders of packages: a request can neither name a path nor bring files or
/// configuration.
/// </remarks>
internal sealed class RepositoryEndpoints(ControlOptions options, LaneRegistry lanes)
{
    private const string UnloadDependents = "unload_dependents";

    /// <summary>The largest body, in bytes: far more than any request here needs.</summary>
    private const int LargestBody = 64 << 10;

    /// <summary>Lists all packages, or those that are served.</summary>
    public async Task<IResult> IndexAsync(HttpContext context)
    {
        var read = await ReadAsync(context, RepositoryJsonContext.Default.RepositoryIndexRequest, new());
        if (!read.Succeeded(out var request, out var problem))
        {
            return new ProblemResult(problem);
        }

        var states = lanes.States.Where(state => !request.Ready || state.Availability == ModelAvailability.Ready);
        return Results.Json<IReadOnlyList<RepositoryModelResponse>>(
            [.. states.Select(Describe)], RepositoryJsonContext.Readable.IReadOnlyListRepositoryModelResponse);
    }

    /// <summary>Loads a package, or reloads it; answers once it serves.</summary>
    public async Task<IResult> LoadAsync(HttpContext context, string name)
    {
        if (!(await ReadChangeAsync(context)).Succeeded(out _, out var problem))
        {
            return new ProblemResult(problem);
        }

        return await lanes.LoadAsync(name) is { } failure
            ? new ProblemResult(Problem.ModelNotLoaded($"failed to load '{name}': {failure}"))
            : Results.Ok();
    }

    /// <summary>Takes a model out of service; answers at once, while its last requests may still run.</summary>
    public async Task<IResult> UnloadAsync(HttpContext context, string name)
    {
        if (!(await ReadChangeAsync(context, UnloadDependents)).Succeeded(out _, out var problem))
        {
            return new ProblemResult(problem);
        }

        return await lanes.UnloadAsync(name) || lanes.States.Any(state => state.Name == name)
            ? Results.Ok()
            : new ProblemResult(Problem.ModelNotLoaded($"failed to unload '{name}': there is no package '{name}'"));
    }

    private static RepositoryModelResponse Describe(ModelState state) => new(
        state.Name,
        state.Version,
        state.Availability == ModelAvailability.Unloaded ? null : state.Availability.ToString().ToUpperInvariant(),
        state.Availability == ModelAvailability.Unloaded ? null : state.Reason);

    private async Task<Outcome<RepositoryChangeRequest>> ReadChangeAsync(HttpContext context, params string[] known)
    {
        var read = await ReadAsync(context, RepositoryJsonContext.Default.RepositoryChangeRequest, new());
        if (!read.Succeeded(out var request, out var problem))
        {
            return problem;
        }

        foreach (var (name, value) in request.Parameters ?? new Dictionary<string, JsonElement>())
        {
            if (!known.Contains(name))
            {
                return Problem.BadParameter(
                    name,
                    $"the parameter '{name}' is not allowed: a package's own folder says what is loaded, a request "
                    + "brings neither files nor configuration");
            }

            if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            {
                return Problem.BadParameter(name, $"the parameter '{name}' must be true or false");
            }
        }

        return request;
    }

    private async Task<Outcome<T>> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type, T whenEmpty)
        where T : class
    {
        if (!options.Enabled)
        {
            return Problem.ControlOff();
        }

        using var body = new MemoryStream();
        await using var counted = new CountedBody(context.Request.Body, LargestBody);
        await counted.CopyToAsync(body, context.RequestAborted);
        if (counted.IsExceeded)
        {
            return Problem.BadRequest($"the body is larger than {LargestBody} bytes, the most that is served here") with
            {
                Status = StatusCodes.Status413PayloadTooLarge,
            };
        }

        if (body.Length == 0)
        {
            return whenEmpty;
        }

        try
        {
            return JsonSerializer.Deserialize(body.GetBuffer().AsSpan(0, (int)body.Length), type) is { } request
                ? request
                : Problem.BadRequest("the body must be an object");
        }
        catch (JsonException exception)
        {
            return Problem.BadRequest($"the body is not the JSON that is expected here: wrong at '{exception.Path}'");
        }
    }
}
