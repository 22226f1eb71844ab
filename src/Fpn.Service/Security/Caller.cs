using Fpn.Service.Problems;
using Fpn.Serving.Requests;

namespace Fpn.Service.Security;

/// <summary>Who asks: the holder of a key, told by its name, or anyone while no keys are configured.</summary>
/// <param name="name">The key's name, which is no secret; null for anyone.</param>
/// <param name="scopes">What the caller may do.</param>
/// <param name="highestPriority">The most urgent that the caller's requests may be.</param>
/// <param name="bucket">Limits the caller's rate; null does not.</param>
internal sealed class Caller(string? name, KeyScope scopes, RequestPriority highestPriority, TokenBucket? bucket)
{
    /// <summary>Whoever asks a service without keys: may do everything, as often as the queue allows.</summary>
    public static Caller Anyone { get; } =
        new(null, KeyScope.Detect | KeyScope.Metrics | KeyScope.Admin, RequestPriority.High, null);

    /// <summary>The key's name; null for anyone.</summary>
    public string? Name { get; } = name;

    /// <summary>What the caller may do.</summary>
    public KeyScope Scopes { get; } = scopes;

    /// <summary>The most urgent that the caller's requests may be.</summary>
    public RequestPriority HighestPriority { get; } = highestPriority;

    /// <summary>Counts a request against the caller's rate.</summary>
    /// <param name="retryAfter">When refused: until when the next one would be let in, if nothing else came.</param>
    /// <returns>Whether it may go on.</returns>
    public bool TryEnter(out TimeSpan retryAfter)
    {
        retryAfter = TimeSpan.Zero;
        return bucket is null || bucket.TryTake(out retryAfter);
    }

    /// <summary>Whether a request may be this urgent.</summary>
    /// <returns>Null, or the problem that says how urgent it may be at most.</returns>
    public Problem? Check(RequestPriority priority)
    {
        // The more urgent, the smaller.
        return priority < HighestPriority
            ? Problem.PriorityNotAllowed(Name!, Written(priority), Written(HighestPriority))
            : null;

        static string Written(RequestPriority priority) => priority.ToString().ToLowerInvariant();
    }

    /// <summary>Counts further images of the same request: each costs as much as a request with one.</summary>
    /// <param name="images">Images beyond the first, 0 or more.</param>
    /// <remarks>
    /// Never refused: how many images a form holds is known only once it has been read, and refusing it then would have
    /// it sent again. The caller goes into debt instead, and waits the longer before the next request.
    /// </remarks>
    public void ChargeMore(int images) => bucket?.Owe(images);
}

/// <summary>Finds the caller of a request.</summary>
internal static class CallerOfContext
{
    /// <summary>The caller, once the key was checked; <see cref="Caller.Anyone"/> where none was asked for.</summary>
    public static Caller Caller(this HttpContext context) => context.Features.Get<Caller>() ?? Security.Caller.Anyone;
}
