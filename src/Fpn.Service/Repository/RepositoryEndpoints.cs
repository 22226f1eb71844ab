using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Fpn.Service.Bodies;
using Fpn.Service.Problems;

namespace Fpn.Service.Repository;

/// <summary>
/// The model repository extension of the Open Inference Protocol: which packages there are, and loading, loading again
/// and unloading them.
/// </summary>
/// <remarks>
/// The name of a model is looked up among the folders of packages: a request can neither name a path nor bring files or
/// configuration.
/// </remarks>
internal sealed class RepositoryEndpoints(RepositoryControl control)
{
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

        return Results.Json<IReadOnlyList<RepositoryModelResponse>>(
            control.List(request.Ready), RepositoryJsonContext.Readable.IReadOnlyListRepositoryModelResponse);
    }

    /// <summary>Loads a package, or reloads it; answers once it serves.</summary>
    public async Task<IResult> LoadAsync(HttpContext context, string name)
    {
        if (!(await ReadChangeAsync(context)).Succeeded(out _, out var problem))
        {
            return new ProblemResult(problem);
        }

        return await control.LoadAsync(name) is { } failure ? new ProblemResult(failure) : Results.Ok();
    }

    /// <summary>Takes a model out of service; answers at once, while its last requests may still run.</summary>
    public async Task<IResult> UnloadAsync(HttpContext context, string name)
    {
        if (!(await ReadChangeAsync(context, RepositoryControl.UnloadDependents)).Succeeded(out _, out var problem))
        {
            return new ProblemResult(problem);
        }

        return await control.UnloadAsync(name) is { } failure ? new ProblemResult(failure) : Results.Ok();
    }

    private async Task<Outcome<RepositoryChangeRequest>> ReadChangeAsync(HttpContext context, params string[] known)
    {
        var read = await ReadAsync(context, RepositoryJsonContext.Default.RepositoryChangeRequest, new());
        if (!read.Succeeded(out var request, out var problem))
        {
            return problem;
        }

        foreach (var (name, value) in request.Parameters ?? new Dictionary<string, JsonElement>())
        {
            var isBoolean = value.ValueKind is JsonValueKind.True or JsonValueKind.False;
            if (RepositoryControl.CheckParameter(name, isBoolean, known) is { } wrong)
            {
                return wrong;
            }
        }

        return request;
    }

    private async Task<Outcome<T>> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type, T whenEmpty)
        where T : class
    {
        if (control.CheckEnabled() is { } off)
        {
            return off;
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
